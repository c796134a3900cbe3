/**
 * `npm run bench:lab`: how much the simulated cloud costs: its start, its memory, its calls per second against a Node HTTP
 * server that does nothing, and how soon its events arrive.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { labReadyFrom } from '../bin/stack/lab-pools.ts';
import { openStateFolder } from '../bin/stack/state-folder.ts';
import { Supervisor } from '../bin/stack/supervisor.ts';
import { reasonOf } from '../bin/stack/trouble.ts';
import { withStateFolder } from './deploy/temporary-state.ts';
import { lanesFor, measureRate } from './lab/call-load.ts';
import { measureEvents } from './lab/event-load.ts';
import type { Pool } from './lab/rpc.ts';
import { peakMiB } from './process-use.ts';
import { p99, reportOf, round, tableOf, writeReport } from './report.ts';
import type { Figures } from './report.ts';

interface Options {
  readonly json: string | undefined;
  readonly scenario: string;
  readonly calls: number;
  readonly connections: number;
  readonly watchers: number;
  readonly changes: number;
}

const ROUNDS = 3;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function optionsFrom(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'string' },
      scenario: { type: 'string', default: 'large' },
      calls: { type: 'string', default: '30000' },
      connections: { type: 'string', default: '32' },
      watchers: { type: 'string', default: '50' },
      changes: { type: 'string', default: '200' },
    },
  });
  const count = (name: 'calls' | 'connections' | 'watchers' | 'changes') => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new Error(`--${name} is "${values[name]}"; it has to be a whole number, 1 or more`);
  };
  return {
    json: values.json,
    scenario: values.scenario,
    calls: count('calls'),
    connections: count('connections'),
    watchers: count('watchers'),
    changes: count('changes'),
  };
}

function part(name: string, program: string, env: NodeJS.ProcessEnv) {
  return {
    name,
    command: process.execPath,
    args: ['--enable-source-maps', fileURLToPath(new URL(program, import.meta.url))],
    env,
    readyLimitMs: 600_000,
    stopSignal: 'SIGTERM' as const,
    stopLimitMs: 60_000,
  };
}

/** The best of several rounds, taken in turn, so that what else the machine does disturbs both alike. */
async function measureRates(pools: readonly Pool[], bareUrl: string, { calls, connections }: Options) {
  const lanes = await lanesFor(pools, connections);
  const bareLanes = lanes.map(({ bodies }) => ({ url: bareUrl, bodies }));
  await measureRate(lanes, Math.ceil(calls / 5));
  await measureRate(bareLanes, Math.ceil(calls / 5));
  const rates = { lab: 0, bare: 0 };
  for (let turn = 1; turn <= ROUNDS; turn++) {
    rates.lab = Math.max(rates.lab, await measureRate(lanes, calls));
    rates.bare = Math.max(rates.bare, await measureRate(bareLanes, calls));
  }
  return rates;
}

async function measure(options: Options, stateDir: string, signal: AbortSignal): Promise<Figures> {
  const supervisor = await Supervisor.open(openStateFolder(stateDir), () => undefined);
  signal.addEventListener('abort', () => void supervisor.stop());
  try {
    const startedMs = performance.now();
    const line = await supervisor.start(part('lab', '../bin/lab.js', { SWITCHBOARD_LAB_SCENARIO: options.scenario }));
    const startSeconds = (performance.now() - startedMs) / 1000;
    const { pools } = labReadyFrom(line);
    const targets = pools.map((pool) => ({ ...pool, url: `http://${pool.hostAddresses[0] ?? ''}:${pool.port}` }));
    const [first] = targets;
    if (first === undefined) throw new Error('the lab has no pool');
    say(`Scenario ${options.scenario} is up after ${round(startSeconds)} s: ${pools.length} pools.`);
    const { url: bareUrl } = z
      .looseObject({ url: z.url() })
      .parse(await supervisor.start(part('bare', 'bare-server.js', {})));
    const rates = await measureRates(targets, bareUrl, options);
    const latenciesMs = await measureEvents(first, options.watchers, options.changes);
    return {
      callsPerSecond: round(rates.lab),
      bareCallsPerSecond: round(rates.bare),
      ratioToBareHttp: round(rates.lab / rates.bare),
      startSeconds: round(startSeconds),
      memoryMiB: round(peakMiB(supervisor.pid('lab'))),
      eventP99Ms: round(p99(latenciesMs)),
    };
  } finally {
    await supervisor.stop();
  }
}

async function main(): Promise<number> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  try {
    const options = optionsFrom(process.argv.slice(2));
    const figures = await withStateFolder((stateDir) => measure(options, stateDir, controller.signal));
    const report = reportOf('lab', figures);
    say(`\n${tableOf(Object.entries(report.figures).map(([name, value]) => [name, String(value)]))}`);
    if (options.json !== undefined) writeReport(options.json, report);
    return 0;
  } catch (error) {
    say(controller.signal.aborted ? 'Stopped; no process is left.' : `The benchmark failed: ${reasonOf(error)}`);
    return 1;
  }
}

process.exitCode = await main();
