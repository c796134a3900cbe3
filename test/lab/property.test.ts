import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Lab } from '../../lab/lab.ts';
import { startLab } from '../../lab/lab.ts';
import { RawClient, Refusal } from './raw-client.ts';
import { byName } from './with-lab.ts';

interface Batch {
  readonly events: readonly {
    readonly class: string;
    readonly operation: 'add' | 'mod' | 'del';
    readonly ref: string;
    readonly snapshot?: unknown;
  }[];
  readonly token: string;
}

const watched = [
  'VM',
  'VBD',
  'VDI',
  'VIF',
  'SR',
  'host',
  'network',
  'host_metrics',
  'VM_metrics',
  'VM_guest_metrics',
  'task',
];

/** What a client knows that never asks for anything but events. */
class Follower {
  readonly known = new Map<string, unknown>();
  private token = '';

  async catchUp(client: RawClient): Promise<void> {
    const batch = await client.call<Batch>('event.from', watched, this.token, 0);
    this.token = batch.token;
    for (const { class: cls, operation, ref, snapshot } of batch.events) {
      if (operation === 'del') this.known.delete(`${cls} ${ref}`);
      else this.known.set(`${cls} ${ref}`, snapshot);
    }
  }
}

async function everything(client: RawClient): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for (const cls of watched) {
    const records = await client.call<Record<string, unknown>>(`${cls}.get_all_records`);
    for (const [ref, record] of Object.entries(records)) all.set(`${cls.toLowerCase()} ${ref}`, record);
  }
  return all;
}

const kinds = [
  'clone',
  'provision',
  'start',
  'hard_shutdown',
  'pause',
  'unpause',
  'snapshot',
  'destroy',
  'rename',
  'tag',
  'asyncClone',
] as const;
type Step = readonly [(typeof kinds)[number], number];

/** Does one random thing to one of the VMs; that many of them are refused is part of it. */
async function perform(client: RawClient, [kind, pick]: Step): Promise<void> {
  const vms = (await client.call<string[]>('VM.get_all_where', 'not field "is_control_domain"="true"')).sort();
  const vm = vms[pick % vms.length] ?? '';
  const calls: Record<Step[0], readonly unknown[]> = {
    clone: ['VM.clone', vm, `vm-${pick}`],
    asyncClone: ['Async.VM.clone', vm, `vm-${pick}`],
    provision: ['VM.provision', vm],
    start: ['VM.start', vm, false, false],
    hard_shutdown: ['VM.hard_shutdown', vm],
    pause: ['VM.pause', vm],
    unpause: ['VM.unpause', vm],
    snapshot: ['VM.snapshot', vm, `snap-${pick}`],
    destroy: ['VM.destroy', vm],
    rename: ['VM.set_name_label', vm, `name-${pick}`],
    tag: ['VM.add_tags', vm, `tag-${pick}`],
  };
  const [method, ...params] = calls[kind];
  await client.call(String(method), ...params).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
  });
}

async function settled(lab: Lab, client: RawClient): Promise<void> {
  for (const task of await client.call<string[]>('task.get_all')) await client.task(task);
  await Promise.all([...lab.world.runningGuests.values()].map((guest) => guest.booted));
}

describe('a client that follows events only', () => {
  it('knows the whole world after any operations, wherever it looks in between', async () => {
    const step = fc.tuple(fc.constantFrom(...kinds), fc.nat(1000));
    const steps = fc.array(fc.tuple(step, fc.boolean()), { minLength: 5, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, async (plan) => {
        const lab = await startLab();
        try {
          const client = await RawClient.login(lab);
          const follower = new Follower();
          await client.call('VM.clone', await byName(client, 'VM', 'debian-12'), 'first');
          for (const [what, looks] of plan) {
            await perform(client, what);
            if (looks) await follower.catchUp(client);
          }
          await settled(lab, client);
          await follower.catchUp(client);
          expect(follower.known).toEqual(await everything(client));
        } finally {
          await lab.close();
        }
      }),
      { numRuns: 25 },
    );
  });
});
