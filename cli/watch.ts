import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { ApiClient, RunDetail } from './api-client.ts';
import type { Io } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { painter, runLines, stepLine } from './render.ts';

const POLL_INTERVAL_MS = 500;
/** An API that is being restarted is worth waiting for: the run does not need it. */
const PATIENCE_MS = 60_000;

/** Follows a run until it has ended or needs a person; answers the exit code. Ctrl-C leaves the run alone. */
export async function watchRun(api: ApiClient, io: Io, id: string, json: boolean): Promise<number> {
  const show = json ? jsonLines(io) : io.terminal === undefined ? plainLines(io) : liveTree(io, io.terminal.columns);
  let lastSeenMs = Date.now();
  for (;;) {
    const run = await see(api, io, id, lastSeenMs);
    if (run === 'detached') return detach(io, id);
    if (run !== undefined) {
      lastSeenMs = Date.now();
      show(run);
      const code = exitCodeOf(run);
      if (code !== undefined) return leave(io, run, code);
    }
    await delay(POLL_INTERVAL_MS, undefined, { signal: io.interrupted }).catch(() => undefined);
    if (io.interrupted.aborted) return detach(io, id);
  }
}

/** Undefined while the server is away for no longer than is worth waiting. */
async function see(
  api: ApiClient,
  io: Io,
  id: string,
  lastSeenMs: number,
): Promise<RunDetail | 'detached' | undefined> {
  try {
    return await api.show(id);
  } catch (error) {
    if (io.interrupted.aborted) return 'detached';
    const away = error instanceof CliFailure && error.exitCode === EXIT.unreachable;
    if (!away || Date.now() - lastSeenMs > PATIENCE_MS) throw error;
    return undefined;
  }
}

/** Undefined while it is worth watching on. */
function exitCodeOf({ state, failure }: RunDetail): number | undefined {
  switch (state) {
    case 'succeeded':
      return EXIT.done;
    case 'succeeded-with-skips':
      return EXIT.doneWithSkips;
    case 'failed':
      return failure?.code === 'RUN_CONFLICT' || failure?.code === 'RESOURCE_LOCKED' ? EXIT.conflict : EXIT.failed;
    case 'cancelled':
      return EXIT.cancelled;
    case 'paused':
    case 'needs-operator':
      return EXIT.waiting;
    case 'accepted':
    case 'waiting':
    case 'running':
    case 'undoing':
      return undefined;
  }
}

function leave(io: Io, run: RunDetail, code: number): number {
  if (run.state === 'needs-operator') {
    io.err(`Next: switchboard retry ${run.id}   or   switchboard skip ${run.id} --reason "…"\n`);
  }
  return code;
}

function detach(io: Io, id: string): number {
  io.err(`\nDetached; run ${id} goes on.\nNext: switchboard watch ${id}\n`);
  return EXIT.interrupted;
}

/** Each new state of the run as one JSON document per line. */
function jsonLines(io: Io): (run: RunDetail) => void {
  let last = '';
  return (run) => {
    const line = JSON.stringify(run);
    if (line !== last) io.out(`${line}\n`);
    last = line;
  };
}

/** One line per change, for logs and pipes; the end of the run is told in full. */
function plainLines(io: Io): (run: RunDetail) => void {
  const paint = painter(io.color);
  const told = new Map<string, string>();
  const tell = (about: string, state: string, line: () => string) => {
    if (told.get(about) !== state) io.out(`${line()}\n`);
    told.set(about, state);
  };
  return (run) => {
    for (const step of run.steps) {
      const state = `${step.state} ${step.attempts}`;
      tell(`${step.name} ${step.undo}`, state, () => stepLine(step, paint, Date.now()));
    }
    const over = exitCodeOf(run) !== undefined;
    tell('run', run.state, () => (over ? runLines(run, paint, Date.now()).join('\n') : `${run.id} ${run.state}`));
  };
}

/** The whole run, drawn again in place. */
function liveTree(io: Io, columns: number): (run: RunDetail) => void {
  let drawn = 0;
  return (run) => {
    const lines = runLines(run, painter(io.color), Date.now()).map((line) => fitting(line, columns));
    const back = drawn === 0 ? '' : `\x1b[${drawn}A\x1b[0J`;
    io.out(`${back}${lines.join('\n')}\n`);
    drawn = lines.length;
  };
}

/** A line that wraps would spoil the count of lines to go back. */
function fitting(line: string, columns: number): string {
  const text = stripVTControlCharacters(line);
  return text.length <= columns ? line : `${text.slice(0, columns - 1)}…`;
}
