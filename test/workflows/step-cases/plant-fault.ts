import { setTimeout as sleep } from 'node:timers/promises';
import { startTcpProxy } from '../../../lab/tcp-proxy.ts';
import type { StepCase } from './cases.ts';
import type { Rig } from './rig.ts';
import { GUEST_SSH_PORT, PROXIED_SSH_PORT, statementIn } from './rig.ts';
import type { Delivery } from './step-hooks.ts';

/** A fault that waits for its place. */
export interface Planted {
  /** How often it has happened. */
  fired(): number;
  /** What an operator does at that moment; resolves with the answer to a cancellation. */
  readonly cancellation?: Promise<string>;
  close(): Promise<void>;
}

/** Longer than the first retry waits, so that the late effect meets a second delivery or an undo. */
const LATE_MS = 300;
/** Terminal wherever it is met: repeating the call cannot help. */
const REFUSAL = ['LICENCE_RESTRICTION', 'the case'] as const;
const nothing = () => Promise.resolve();

/** Plants the fault of a case at the start of the delivery that it is for. */
export async function plantFault(rig: Rig, { place, fault }: StepCase, lane: string, at: Delivery): Promise<Planted> {
  switch (place.via) {
    case 'delivery':
      return fault === 'cancelled' ? cancelFirst(rig, at.runId) : { fired: () => 1, close: nothing };
    case 'xapi':
      return fault === 'cancelled'
        ? cancelHeld(rig, place, lane, at.runId)
        : faultyCall(rig, { place, fault }, lane, at);
    case 'sql':
      return cutStatement(rig, { place, fault }, lane, at.runId);
    case 'ssh':
      return cutConnection({ fault }, at);
  }
}

function faultyCall(
  rig: Rig,
  { place, fault }: Pick<StepCase, 'place' | 'fault'>,
  lane: string,
  { runId }: Delivery,
): Planted {
  const where = { method: place.what, nth: place.nth, pool: lane };
  const planned = rig.site.lab.plan(
    fault === 'reply-lost'
      ? { ...where, kind: 'reply-lost' }
      : fault.startsWith('late')
        ? { ...where, kind: 'late-effect', delayMs: LATE_MS }
        : { ...where, kind: 'refused', error: REFUSAL },
  );
  const fired = () => planned.fired;
  if (fault !== 'late-while-undoing') return { fired, close: nothing };
  return { fired, cancellation: afterwards(fired, () => cancel(rig, runId)), close: nothing };
}

function cancelHeld(rig: Rig, place: StepCase['place'], lane: string, runId: string): Planted {
  const barrier = rig.site.lab.hold({ method: place.what, nth: place.nth, pool: lane, at: 'before-effect' });
  const cancellation = barrier.reached.then(() => cancel(rig, runId)).finally(() => barrier.release());
  return { fired: () => (barrier.held === undefined ? 0 : 1), cancellation, close: nothing };
}

async function cancelFirst(rig: Rig, runId: string): Promise<Planted> {
  const answer = await cancel(rig, runId);
  return { fired: () => 1, cancellation: Promise.resolve(answer), close: nothing };
}

/** Answers what the run says to it, be it a refusal. */
export async function cancel({ site }: Rig, runId: string): Promise<string> {
  const run = await site.store.get(runId);
  if (run === undefined) throw new Error(`there is no run ${runId}`);
  return site.engine.cancel(run, 'tester').catch((error: unknown) => `refused: ${String(error)}`);
}

async function afterwards<T>(fired: () => number, work: () => Promise<T>): Promise<T> {
  while (fired() === 0) await sleep(10);
  return work();
}

function cutStatement(
  rig: Rig,
  { place, fault }: Pick<StepCase, 'place' | 'fault'>,
  lane: string,
  runId: string,
): Planted {
  const planned = rig.databaseProxy.plan({
    kind: fault === 'cut-before' ? 'cut-before' : 'cut-after-request',
    nth: place.nth,
    match: (chunk) => statementIn(chunk) === place.what && (chunk.includes(runId) || chunk.includes(lane)),
  });
  return { fired: () => planned.fired, close: nothing };
}

/** Stands before the guest's SSH, on its own address. */
async function cutConnection({ fault }: Pick<StepCase, 'fault'>, { input }: Delivery): Promise<Planted> {
  const targetHost = addressIn(input);
  const target = { targetHost, targetPort: GUEST_SSH_PORT };
  const proxy = await startTcpProxy({ ...target, listenHost: targetHost, listenPort: PROXIED_SSH_PORT });
  const planned = proxy.plan({
    kind: fault === 'refuse' || fault === 'cut-before' ? fault : 'cut-after-request',
  });
  return { fired: () => planned.fired, close: () => proxy.close() };
}

function addressIn(input: unknown): string {
  if (typeof input === 'object' && input !== null && 'address' in input) return String(input.address);
  throw new Error('a step that connects over SSH has the address in its input');
}
