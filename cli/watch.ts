import type { ApiClient, RunDetail, RunEvent } from './api-client.ts';
import { eventTeller } from './event-lines.ts';
import { eventsFrom } from './event-stream.ts';
import type { Io } from './io.ts';
import { EXIT } from './io.ts';
import { LiveTree } from './live-tree.ts';
import { exitCodeOf, worstOf } from './outcome.ts';
import { patiently } from './patience.ts';
import { painter, runLines } from './render.ts';

const REDRAW_INTERVAL_MS = 1_000;

/** What becomes of what is seen. */
interface View {
  /** Whether it wants to see the run after every event, or only its end. */
  readonly drawsRuns: boolean;
  event(this: void, event: RunEvent): void;
  run(this: void, run: RunDetail): void;
  /** The run has ended or waits for a person. */
  stop(this: void, run: RunDetail): void;
  close(this: void): void;
}

/**
 * Follows runs until each has ended or needs a person; answers the exit code of the worst. Ctrl-C leaves them alone.
 */
export async function watchRuns(api: ApiClient, io: Io, ids: readonly string[], json: boolean): Promise<number> {
  const enough = new AbortController();
  const signal = AbortSignal.any([io.interrupted, enough.signal]);
  const view = viewFor(io, json, ids.length > 1);
  try {
    const codes = await Promise.all(ids.map((id) => follow({ api, io, view, signal }, id)));
    return worstOf(codes);
  } catch (error) {
    if (!io.interrupted.aborted) throw error;
    return detach(io, ids);
  } finally {
    enough.abort();
    view.close();
  }
}

interface Following {
  readonly api: ApiClient;
  readonly io: Io;
  readonly view: View;
  readonly signal: AbortSignal;
}

async function follow({ api, io, view, signal }: Following, id: string): Promise<number> {
  let known: RunDetail | undefined;
  for await (const event of eventsFrom(io, signal, (after, connection) => api.eventsOf(id, after, connection))) {
    view.event(event);
    if (!view.drawsRuns && !couldStop(event)) continue;
    if (known === undefined || known.seq < event.seq) {
      known = await patiently(io, signal, () => api.show(id));
      view.run(known);
    }
    const code = exitCodeOf(known);
    // An answer that knows more than the stream has told so far: the rest is still to be told.
    if (code === undefined || known.seq > event.seq) continue;
    view.stop(known);
    if (known.state === 'needs-operator') io.err(choices(id));
    return code;
  }
  throw new Error(`The watch of run ${id} was ended from outside.`);
}

function couldStop({ kind, state }: RunEvent): boolean {
  return kind === 'run-state' && state !== undefined && exitCodeOf({ state }) !== undefined;
}

function choices(id: string): string {
  return `Next: switchboard retry ${id}   or   switchboard skip ${id} --reason "…"\n`;
}

function detach(io: Io, ids: readonly string[]): number {
  const [what, verb] = ids.length === 1 ? ['run', 'goes'] : ['runs', 'go'];
  io.err(`\nDetached; ${what} ${ids.join(', ')} ${verb} on.\nNext: switchboard watch ${ids.join(' ')}\n`);
  return EXIT.interrupted;
}

function viewFor(io: Io, json: boolean, several: boolean): View {
  if (json) return jsonLines(io);
  return io.terminal === undefined ? plainLines(io, several) : liveTree(io, io.terminal);
}

/** Each event as one JSON document per line. */
function jsonLines(io: Io): View {
  const nothing = () => undefined;
  const event = (one: RunEvent) => io.out(`${JSON.stringify(one)}\n`);
  return { drawsRuns: false, event, run: nothing, stop: nothing, close: nothing };
}

/** One line per event, for logs and pipes; the end of the run is told in full. */
function plainLines(io: Io, several: boolean): View {
  const paint = painter(io.color);
  const tell = eventTeller(paint);
  return {
    drawsRuns: false,
    event: (event) => io.out(`${several ? `${event.runId}  ` : ''}${tell(event)}\n`),
    run: () => undefined,
    stop: (run) => io.out(`${runLines(run, paint, Date.now()).join('\n')}\n`),
    close: () => undefined,
  };
}

function liveTree(io: Io, terminal: NonNullable<Io['terminal']>): View {
  const tree = new LiveTree(io, terminal, painter(io.color));
  const clock = setInterval(() => tree.draw(), REDRAW_INTERVAL_MS);
  return {
    drawsRuns: true,
    event: () => undefined,
    run: (run) => tree.show(run),
    stop: () => undefined,
    close: () => {
      clearInterval(clock);
      tree.leave();
    },
  };
}
