import { Context } from '@temporalio/activity';
import type { TaskMemory } from '../adapters/xapi/xapi.ts';

/** Three beats within a timeout: one may get lost, a dead worker is noticed all the same. */
const BEATS_PER_TIMEOUT = 3;

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
  const tasks = new Map(rememberedTasks(context.info.heartbeatDetails));
  const beat = () => context.heartbeat({ tasks: Object.fromEntries(tasks) });
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

function rememberedTasks(details: unknown): [string, string][] {
  if (typeof details !== 'object' || details === null || !('tasks' in details)) return [];
  const { tasks } = details;
  if (typeof tasks !== 'object' || tasks === null) return [];
  return Object.entries(tasks).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}
