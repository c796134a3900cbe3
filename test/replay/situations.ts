import { expect } from '@jest/globals';
import type { RunRow } from '../../adapters/postgres/rows.ts';
import type { Site } from '../support/site.ts';

/** How a run came to where it is, as recorded once and replayed for ever. */
export interface Situation {
  /** Name of the file: `<operation>-<situation>`. */
  readonly name: string;
  /** What `storyOf` must find in the history; nothing else is recorded under this name. */
  readonly story: string;
  play(site: Site): Promise<Played>;
}

export interface Played {
  readonly run: RunRow;
  /** Given when the history is to be taken while the run is under way: lets it go on to its end. */
  readonly goOn?: () => Promise<unknown>;
}

type Act = (run: RunRow) => Promise<unknown>;

const vm = (name: string) => ({ pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] });
const NO_SPACE = ['SR_BACKEND_FAILURE_81', '', 'the clone of the disk failed', ''] as const;

async function deploy(site: Site, input: Record<string, unknown>): Promise<Played> {
  return { run: await site.ended((await site.request('deploy-vm', input)).id) };
}

const deployNamed =
  (name: string): Situation['play'] =>
  (site) =>
    deploy(site, { ...vm(name), disks: [{ name: 'data', sizeGiB: 1 }], memoryMiB: 2048 });

/** Starts, and stops at a call. */
async function deployUntil(site: Site, name: string, method: string) {
  const barrier = site.lab.hold({ method, object: name, at: 'before-effect' });
  const { id } = await site.request('deploy-vm', vm(name));
  await barrier.reached;
  const goOn = () => {
    barrier.release();
    return site.ended(id);
  };
  return { run: await site.reaches(id, 'running'), goOn };
}

const cancelled =
  (name: string): Situation['play'] =>
  async (site) => {
    const { run, goOn } = await deployUntil(site, name, 'VM.start');
    await site.engine.cancel(run, 'operator');
    return { run: await goOn() };
  };

const neverBoots =
  (name: string): Situation['play'] =>
  (site) => {
    site.lab.plan({ method: 'guest.boot', object: name, kind: 'never-boots' });
    return deploy(site, { ...vm(name), addressTimeoutSeconds: 1 });
  };

async function undoHeld(site: Site, name: string, answer: Act): Promise<Played> {
  site.lab.plan({ method: 'guest.boot', object: name, kind: 'never-boots' });
  site.lab.plan({ method: 'VDI.destroy', object: `${name} config-drive`, kind: 'refused', error: NO_SPACE });
  const { id } = await site.request('deploy-vm', { ...vm(name), addressTimeoutSeconds: 1 });
  await answer(await site.reaches(id, 'needs-operator'));
  return { run: await site.ended(id) };
}

async function deletion(site: Site, name: string, refusals: number, answer?: Act): Promise<Played> {
  await deploy(site, vm(name));
  if (refusals > 0) site.lab.plan({ method: 'VDI.destroy', kind: 'refused', error: NO_SPACE, times: refusals });
  const { id } = await site.request('delete-vm', { pool: 'ams1', name });
  if (answer !== undefined) await answer(await site.reaches(id, 'needs-operator'));
  return { run: await site.ended(id) };
}

/** A refused update leaves no event: this history equals that of a run that nobody tried to cancel, as it must. */
async function cancelInVain(site: Site, run: RunRow): Promise<void> {
  await expect(site.engine.cancel(run, 'operator')).rejects.toMatchObject({ code: 'ACTION_REFUSED' });
  await site.engine.retry(run, 'operator');
}

/** What an upgrade of the workers meets: runs under way, here in the middle and before the very last workflow task. */
const UNDER_WAY: readonly Situation[] = [
  {
    name: 'deploy-vm-under-way',
    story: 'open after 9 steps, 0 answers, 0 repeated',
    play: (site) => deployUntil(site, 'replay-11', 'VM.start'),
  },
  { name: 'deploy-vm-succeeded', story: 'open after 13 steps, 0 answers, 0 repeated', play: deployNamed('replay-1') },
  {
    name: 'deploy-vm-failed-and-undone',
    story: 'open after 21 steps, 0 answers, 0 repeated',
    play: neverBoots('replay-2'),
  },
  { name: 'deploy-vm-cancelled', story: 'open after 20 steps, 1 answers, 0 repeated', play: cancelled('replay-3') },
];

const CLOSED: readonly Situation[] = [
  {
    name: 'deploy-vm-succeeded-and-closed',
    story: 'COMPLETED after 13 steps, 0 answers, 0 repeated',
    play: deployNamed('replay-12'),
  },
  {
    name: 'deploy-vm-failed-and-closed',
    story: 'FAILED after 21 steps, 0 answers, 0 repeated',
    play: neverBoots('replay-13'),
  },
  {
    // Of a version that did not ask Temporal as well: its update alone ended as a failure of that kind.
    name: 'deploy-vm-cancelled-and-closed',
    story: 'FAILED after 20 steps, 1 answers, 0 repeated',
    play: cancelled('replay-14'),
  },
  {
    name: 'deploy-vm-cancelled-and-listed-so',
    story: 'CANCELED after 20 steps, 1 answers, 0 repeated',
    play: cancelled('replay-15'),
  },
  {
    name: 'deploy-vm-step-retried',
    story: 'COMPLETED after 13 steps, 0 answers, 1 repeated',
    play: (site) => {
      site.lab.plan({ method: 'VM.provision', kind: 'cut', times: 2 });
      return deploy(site, vm('replay-4'));
    },
  },
  {
    name: 'deploy-vm-undo-held-then-retried',
    story: 'FAILED after 23 steps, 1 answers, 0 repeated',
    play: (site) => undoHeld(site, 'replay-5', (run) => site.engine.retry(run, 'operator')),
  },
  {
    name: 'deploy-vm-undo-held-then-skipped',
    story: 'FAILED after 23 steps, 1 answers, 0 repeated',
    play: (site) => undoHeld(site, 'replay-6', (run) => site.engine.skip(run, 'operator', 'the storage is replaced')),
  },
  {
    name: 'delete-vm-succeeded',
    story: 'COMPLETED after 7 steps, 0 answers, 0 repeated',
    play: (site) => deletion(site, 'replay-7', 0),
  },
  {
    name: 'delete-vm-held-then-retried',
    story: 'COMPLETED after 9 steps, 1 answers, 0 repeated',
    play: (site) => deletion(site, 'replay-8', 2, (run) => site.engine.retry(run, 'operator')),
  },
  {
    name: 'delete-vm-held-then-skipped',
    story: 'COMPLETED after 9 steps, 1 answers, 0 repeated',
    play: (site) =>
      deletion(site, 'replay-9', 2, (run) => site.engine.skip(run, 'operator', 'the storage is replaced')),
  },
  {
    name: 'delete-vm-cancel-refused-after-commit',
    story: 'COMPLETED after 9 steps, 1 answers, 0 repeated',
    play: (site) => deletion(site, 'replay-10', 2, (run) => cancelInVain(site, run)),
  },
  // Since an answer is acknowledged only when the row says that the run goes on.
  {
    name: 'delete-vm-held-then-retried-and-noted',
    story: 'COMPLETED after 10 steps, 1 answers, 0 repeated',
    play: (site) => deletion(site, 'replay-16', 2, (run) => site.engine.retry(run, 'operator')),
  },
  {
    name: 'deploy-vm-undo-held-then-skipped-and-noted',
    story: 'FAILED after 24 steps, 1 answers, 0 repeated',
    play: (site) => undoHeld(site, 'replay-17', (run) => site.engine.skip(run, 'operator', 'the storage is replaced')),
  },
];

export const SITUATIONS: readonly Situation[] = [...UNDER_WAY, ...CLOSED];
