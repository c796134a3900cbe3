import type { Messages } from '../model/messages.ts';
import type { Value } from '../model/types.ts';
import type { World } from '../world/world.ts';

/** One call while its effect runs. */
export interface Call {
  readonly world: World;
  /** Without "Async." */
  readonly method: string;
  /** Empty for a login. */
  readonly session: string;
  /** The host that took the call. */
  readonly host: string;
  /** What current_operations names it by: the task of an Async call, else a dummy reference. */
  readonly operationId: string;
  /** Aborted when the task is cancelled or the lab closes. */
  readonly signal: AbortSignal;
  /** From 0 to 1; shown by the task. See Tasks.progress. */
  readonly progress: (fraction: number, cancelPointsSeen?: number) => void;
  readonly cancel: () => void;
}

/** What happens on each message, with the parameters that the data model gives it; the result has the message's type, or is none. */
export type Handlers = {
  readonly [M in keyof Messages]?: (call: Call, ...args: Messages[M]) => unknown;
};

export type Handler = (call: Call, ...args: readonly Value[]) => unknown;

/** For what the pool does by itself: a call that nobody made and nobody waits for. */
export function internalCall(world: World, method: string): Call {
  const controller = new AbortController();
  return {
    world,
    method,
    session: '',
    host: world.pool.master,
    operationId: `DummyRef:|${world.identities.uuid()}|${method}`,
    signal: AbortSignal.any([controller.signal, world.life]),
    progress: () => undefined,
    cancel: () => controller.abort(),
  };
}
