import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { type Interface, createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { parseJson } from './state-lock.ts';
import { StackTrouble, reasonOf } from './trouble.ts';

/** A process of the stack: how it is started, how it is known to be ready, how it is stopped. */
export interface Part {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** The working folder and the user, for a program that must not run as root or cannot enter ours. */
  readonly cwd?: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Fails as long as the part does not answer. Without it the part prints a ready line on standard output. */
  readonly probe?: () => Promise<void>;
  readonly readyLimitMs: number;
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  readonly stopLimitMs: number;
}

const readyLineSchema = z.looseObject({ ready: z.literal(true), pid: z.number().int() });

/** The one line of JSON by which a part says that it serves: `{"ready":true,"pid":…}` and what others need of it. */
export type ReadyLine = z.infer<typeof readyLineSchema>;

/** One life of a part, from its start to its end. */
export interface PartProcess {
  readonly pid: number;
  /** Rejects with StackTrouble when it ends, or the limit passes, before it is ready. */
  readonly ready: Promise<ReadyLine>;
  /** How it ended, in words: "exit code 1", "SIGKILL", "spawn … ENOENT". */
  readonly ended: Promise<string>;
}

const largestLogBytes = 10 * 1024 * 1024;

/**
 * Starts a part in a process group of its own, so that Ctrl-C in the terminal does not reach it. What it prints is
 * added to its log file; one earlier log is kept.
 * @throws StackTrouble when the program cannot be started at all
 */
export async function startPart(part: Part, logFile: string): Promise<PartProcess> {
  const log = openLog(logFile);
  const child = spawn(part.command, part.args, {
    ...part.user,
    cwd: part.cwd,
    env: part.env,
    detached: true,
    stdio: ['ignore', part.probe ? log : 'pipe', log],
  });
  const ended = endOf(child);
  const { pid } = child;
  if (pid === undefined) {
    closeSync(log);
    throw new StackTrouble(`${part.name} cannot be started: ${await ended}.`);
  }
  const lines = child.stdout === null ? undefined : createInterface({ input: child.stdout });
  const line = lines === undefined ? answered(part.probe, pid, ended) : readyLine(lines, log);
  void Promise.all([ended, lines && once(lines, 'close')]).then(() => closeSync(log));
  const ready = readyInTime(part, logFile, line, ended);
  ready.catch(() => undefined);
  return { pid, ready, ended };
}

function openLog(logFile: string): number {
  const sizeBytes = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (sizeBytes > largestLogBytes) renameSync(logFile, `${logFile}.1`);
  return openSync(logFile, 'a', 0o600);
}

/** 'close' comes when the process has ended and all that it printed has been read. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
}

/** The ready line stays out of the log, since it may hold a password. */
function readyLine(lines: Interface, log: number): Promise<ReadyLine> {
  return new Promise((resolve) => {
    lines.on('line', (text) => {
      const line = readyLineSchema.safeParse(parseJson(text));
      if (line.success) resolve(line.data);
      else writeSync(log, `${text}\n`);
    });
  });
}

async function answered(probe: Part['probe'], pid: number, ended: Promise<string>): Promise<ReadyLine> {
  const over = new AbortController();
  void ended.then(() => over.abort());
  for (;;) {
    try {
      await probe?.();
      return { ready: true, pid };
    } catch {
      // not yet: whoever waits gives up when the part ends or the limit passes
      if (over.signal.aborted) return new Promise(() => undefined);
      await delay(100);
    }
  }
}

async function readyInTime(part: Part, logFile: string, line: Promise<ReadyLine>, ended: Promise<string>) {
  const limit = new AbortController();
  const tooLate = delay(part.readyLimitMs, 'it did not say so in time', { signal: limit.signal, ref: false });
  try {
    const outcome = await Promise.race([line, ended.then((how) => `it ended (${how})`), tooLate]);
    if (typeof outcome !== 'string') return outcome;
    throw new StackTrouble(
      `${part.name} was not ready: ${outcome}. Its log is ${logFile}; last words: ${lastWords(logFile)}`,
    );
  } finally {
    limit.abort();
    tooLate.catch(() => undefined);
  }
}

function lastWords(logFile: string): string {
  try {
    const lines = readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    return lines.at(-1) ?? 'none.';
  } catch (error) {
    return `unreadable, ${reasonOf(error)}.`;
  }
}
