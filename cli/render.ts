import { styleText } from 'node:util';
import type { Failure, LedgerEntry, Run, RunDetail, Step } from './api-client.ts';
import { table } from './table.ts';

export type Paint = (color: 'green' | 'red' | 'yellow' | 'cyan' | 'dim', text: string) => string;

export function painter(color: boolean): Paint {
  return (name, text) => (color ? styleText(name, text, { validateStream: false }) : text);
}

const MARKS = {
  done: ['green', '✔'],
  running: ['cyan', '▶'],
  retrying: ['yellow', '↻'],
  failed: ['red', '✖'],
} as const;

/** A run with its steps, what it owes and what came of it, one line each. */
export function runLines(run: RunDetail, paint: Paint, nowMs: number): string[] {
  const started = run.startedAt ?? run.createdAt;
  const elapsed = seconds(started, run.endedAt, nowMs);
  return [
    `${run.id}  ${run.summary}`,
    `${paint(stateColor(run.state), run.state.toUpperCase())}  ${elapsed}  asked for by ${run.requestedBy} at ${run.createdAt}`,
    ...run.steps.map((step) => `  ${stepLine(step, paint, nowMs)}`),
    ...run.skips.map(({ step, reason }) => `  ${paint('yellow', '»')} ${step} left out: ${reason}`),
    ...run.ledger.filter(({ state }) => state !== 'settled').map((entry) => `  ${ledgerLine(entry)}`),
    ...(run.failure === undefined ? [] : failureLines(run.failure).map((line) => `  ${line}`)),
    ...(run.result === undefined ? [] : [`  result: ${JSON.stringify(run.result)}`]),
    ...(run.links.temporalUi === undefined ? [] : [`  temporal: ${run.links.temporalUi}`]),
  ];
}

function stepLine(step: Step, paint: Paint, nowMs: number): string {
  const [color, mark] = MARKS[step.state];
  const name = step.undo ? `undo ${step.name}` : step.name;
  const attempts = step.attempts > 1 ? `  attempt ${step.attempts}` : '';
  const last = step.state === 'done' || step.lastFailure === undefined ? '' : `  ${oneLine(step.lastFailure)}`;
  const end = step.state === 'done' || step.state === 'failed' ? step.endedAt : undefined;
  return `${paint(color, mark)} ${name.padEnd(20)} ${seconds(step.startedAt, end, nowMs)}${attempts}${last}`;
}

/** A table of runs, newest first as the server gave them. */
export function runTable(runs: readonly Run[]): string {
  const rows = runs.map((run) => [run.id, run.state, run.currentStep ?? '', run.createdAt, run.summary]);
  return table(['RUN', 'STATE', 'STEP', 'ACCEPTED', 'SUMMARY'], rows);
}

function failureLines(failure: Failure): string[] {
  const reasons = failure.reasons?.map(({ object, reason }) => `  ${object}: ${reason}`) ?? [];
  return [`failure: ${oneLine(failure)}`, ...reasons];
}

export function oneLine({ code, native, message }: Failure): string {
  return `${code}${native === undefined ? '' : ` [${native.code}]`} ${message}`;
}

function ledgerLine({ duty, kind, name, id, step, state, reason }: LedgerEntry): string {
  const what = `${state}: ${duty} ${kind} ${name} (${id}), by ${step}`;
  return reason === undefined ? what : `${what}: ${reason}`;
}

function stateColor(state: Run['state']): 'green' | 'red' | 'yellow' | 'cyan' {
  if (state === 'succeeded') return 'green';
  if (state === 'failed') return 'red';
  return state === 'running' || state === 'accepted' || state === 'waiting' ? 'cyan' : 'yellow';
}

function seconds(from: string, to: string | undefined, nowMs: number): string {
  const endMs = to === undefined ? nowMs : Date.parse(to);
  return `${(Math.max(0, endMs - Date.parse(from)) / 1_000).toFixed(1)} s`;
}

export function secondsBetween(from: string, to: string): string {
  return seconds(from, to, 0);
}
