import { oneLine, secondsBetween } from './render.ts';
import type { Paint } from './render.ts';
import type { RunEvent } from './api-client.ts';

const UNDO_SUFFIX = '.undo';

/** Tells events as lines for logs and pipes; it remembers when steps began, so that their end says how long they took. */
export function eventTeller(paint: Paint): (event: RunEvent) => string {
  const begun = new Map<string, string>();
  return (event) => {
    const key = `${event.runId} ${event.step ?? ''}`;
    const startedAt = begun.get(key);
    if (event.kind === 'step-started' && startedAt === undefined) begun.set(key, event.at);
    return `${paint('dim', event.at)}  ${wordsOf(event, startedAt, paint)}`;
  };
}

function wordsOf(event: RunEvent, startedAt: string | undefined, paint: Paint): string {
  const { attempt = 1 } = event;
  const failure = event.failure === undefined ? '' : `  ${oneLine(event.failure)}`;
  const again = attempt > 1 ? `  attempt ${attempt}` : '';
  switch (event.kind) {
    case 'step-started':
      return `${paint('cyan', '▶')} ${nameOf(event)}${again}`;
    case 'attempt-failed':
      return `${paint('yellow', '↻')} ${nameOf(event)}${again}${failure}`;
    case 'step-done':
      return `${paint('green', '✔')} ${nameOf(event)}${again}  ${secondsBetween(startedAt ?? event.at, event.at)}`;
    case 'run-accepted':
    case 'run-state':
      return `${paint('cyan', '●')} ${event.state ?? ''}${failure}`;
  }
}

function nameOf({ step = '' }: RunEvent): string {
  return step.endsWith(UNDO_SUFFIX) ? `undo ${step.slice(0, -UNDO_SUFFIX.length)}` : step;
}
