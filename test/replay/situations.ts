import type { RunRow } from '../../adapters/postgres/run-store.ts';
import type { Site } from '../support/site.ts';

/** How a run came to its end, as recorded once and replayed for ever. */
export interface Situation {
  /** Name of the file: `<operation>-<situation>`. */
  readonly name: string;
  play(site: Site): Promise<RunRow>;
}

const vm = (name: string) => ({ pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] });
const NO_SPACE = ['SR_BACKEND_FAILURE_81', '', 'the clone of the disk failed', ''] as const;

async function deploy(site: Site, input: Record<string, unknown>): Promise<RunRow> {
  return site.ended((await site.request('deploy-vm', input)).id);
}

/** Starts, waits until a call is held, does something about it, lets the call go on. */
async function interrupted(
  site: Site,
  name: string,
  held: { readonly method: string; readonly object?: string },
  act: (run: RunRow) => Promise<unknown>,
): Promise<RunRow> {
  const barrier = site.lab.hold({ ...held, at: 'before-effect' });
  const { id } = await site.request('deploy-vm', vm(name));
  await barrier.reached;
  await act(await site.reaches(id, 'running'));
  barrier.release();
  return site.ended(id);
}

async function undoHeld(site: Site, name: string, answer: (run: RunRow) => Promise<unknown>): Promise<RunRow> {
  site.lab.plan({ method: 'guest.boot', object: name, kind: 'never-boots' });
  site.lab.plan({ method: 'VDI.destroy', object: `${name} config-drive`, kind: 'refused', error: NO_SPACE });
  const { id } = await site.request('deploy-vm', { ...vm(name), addressTimeoutSeconds: 1 });
  await answer(await site.reaches(id, 'needs-operator'));
  return site.ended(id);
}

async function deletion(site: Site, name: string, refusals: number, answer?: (run: RunRow) => Promise<unknown>) {
  await deploy(site, vm(name));
  if (refusals > 0) site.lab.plan({ method: 'VDI.destroy', kind: 'refused', error: NO_SPACE, times: refusals });
  const { id } = await site.request('delete-vm', { pool: 'ams1', name });
  if (answer !== undefined) await answer(await site.reaches(id, 'needs-operator'));
  return site.ended(id);
}

export const SITUATIONS: readonly Situation[] = [
  {
    name: 'deploy-vm-succeeded',
    play: (site) => deploy(site, { ...vm('replay-1'), disks: [{ name: 'data', sizeGiB: 1 }], memoryMiB: 2048 }),
  },
  {
    name: 'deploy-vm-failed-and-undone',
    play: (site) => {
      site.lab.plan({ method: 'guest.boot', object: 'replay-2', kind: 'never-boots' });
      return deploy(site, { ...vm('replay-2'), addressTimeoutSeconds: 1 });
    },
  },
  {
    name: 'deploy-vm-cancelled',
    play: (site) => interrupted(site, 'replay-3', { method: 'VM.start' }, (run) => site.engine.cancel(run, 'operator')),
  },
  {
    name: 'deploy-vm-step-retried',
    play: (site) => {
      site.lab.plan({ method: 'VM.provision', kind: 'cut', times: 2 });
      return deploy(site, vm('replay-4'));
    },
  },
  {
    name: 'deploy-vm-undo-held-then-retried',
    play: (site) => undoHeld(site, 'replay-5', (run) => site.engine.retry(run, 'operator')),
  },
  {
    name: 'deploy-vm-undo-held-then-skipped',
    play: (site) => undoHeld(site, 'replay-6', (run) => site.engine.skip(run, 'operator', 'the storage is replaced')),
  },
  { name: 'delete-vm-succeeded', play: (site) => deletion(site, 'replay-7', 0) },
  {
    name: 'delete-vm-held-then-retried',
    play: (site) => deletion(site, 'replay-8', 2, (run) => site.engine.retry(run, 'operator')),
  },
  {
    name: 'delete-vm-held-then-skipped',
    play: (site) =>
      deletion(site, 'replay-9', 2, (run) => site.engine.skip(run, 'operator', 'the storage is replaced')),
  },
  {
    name: 'delete-vm-cancel-refused-after-commit',
    play: (site) =>
      deletion(site, 'replay-10', 2, async (run) => {
        await site.engine.cancel(run, 'operator').catch(() => undefined);
        await site.engine.retry(run, 'operator');
      }),
  },
];
