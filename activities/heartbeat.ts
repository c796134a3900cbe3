import { Context } from '@temporalio/activity';
import type { TaskMemory } from '../adapters/xapi/xapi.ts';

/** Three beats within a timeout: one may get lost, a dead worker is noticed all the same. */
const BEATS_PER_TIMEOUT = 3;

/** What an earlier delivery told with its last beat: references of XAPI tasks by the keys of their memories. */
interface Details {
  readonly tasks?: Readonly<Record<string, string>>;
}

export interface Heartbeat {
  readonly memory: (key?: string) => TaskMemory;
  stop(): void;
}

/**
 * Beats by itself while a step works, since a dead worker is noticed by nothing else, and carries the references of the
 * XAPI tasks under way, so that the next delivery finds them in its heartbeat details.
 */
export function startHeartbeat(): Heartbeat {
  const context = Context.current();
  const { tasks: remembered = {} } = (context.info.heartbeatDetails ?? {}) as Details;
  const tasks = new Map(Object.entries(remembered));
  const beat = () => context.heartbeat({ tasks: Object.fromEntries(tasks) } satisfies Details);
  const timer = setInterval(beat, (context.info.heartbeatTimeoutMs ?? 10_000) / BEATS_PER_TIMEOUT);
  return {
    memory: (key = 'task') => ({
      get taskRef() {
        return tasks.get(key);
      },
      remember(taskRef: string) {
        tasks.set(key, taskRef);
        beat();
      },
      forget() {
        tasks.delete(key);
        beat();
      },
      signal: context.cancellationSignal,
    }),
    stop: () => clearInterval(timer),
  };
}
