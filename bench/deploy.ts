/**
 * `npm run bench:deploy`: deployments over the whole path against a plain script that does the same to the same kind of
 * lab, in the same run; once in a lab that takes no time, once at the reference latencies (divided by ten).
 */
import { parseArgs } from 'node:util';
import { reasonOf } from '../bin/stack/trouble.ts';
import { compareEffects } from './deploy/effects.ts';
import { measurePlainScript } from './deploy/plain-side.ts';
import type { PlainSide } from './deploy/plain-side.ts';
import { measureProduct } from './deploy/product-side.ts';
import type { ProductSide, Surroundings } from './deploy/product-side.ts';
import type { Profile, Workload } from './deploy/workload.ts';
import { p99, reportOf, round, tableOf, writeReport } from './report.ts';
import type { Figures } from './report.ts';

interface Round {
  readonly product: ProductSide;
  readonly plain: PlainSide;
}

interface Options extends Workload {
  readonly json: string | undefined;
  readonly temporalCli: string;
}

/** More VMs than these the lab's hosts cannot hold. */
const MOST_DEPLOYMENTS = 500;
const TITLES: Readonly<Record<Profile, string>> = {
  zero: 'Lab at zero latency',
  reference: 'Lab at the reference latencies, scaled 1:10',
};

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function optionsFrom(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'string' },
      deployments: { type: 'string', default: '200' },
      concurrency: { type: 'string', default: '20' },
      'temporal-cli': { type: 'string' },
    },
  });
  const temporalCli = values['temporal-cli'];
  if (temporalCli === undefined) throw new Error('--temporal-cli is missing: start with `npm run bench:deploy`');
  return {
    json: values.json,
    temporalCli,
    deployments: countFrom('--deployments', values.deployments, MOST_DEPLOYMENTS),
    concurrency: countFrom('--concurrency', values.concurrency, 200),
  };
}

function countFrom(name: string, text: string, most: number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= most) return count;
  throw new Error(`${name} is "${text}"; it has to be a whole number from 1 to ${most}`);
}

async function measureRound(profile: Profile, options: Options, around: Surroundings): Promise<Round> {
  say(`\n${TITLES[profile]}: ${options.deployments} deployments, ${options.concurrency} at a time.`);
  const product = await measureProduct(profile, options, around);
  say(`  product       ${perMinute(product.elapsedMs, options)} deployments/min`);
  const plain = await measurePlainScript(profile, options, around.signal);
  say(`  plain script  ${perMinute(plain.elapsedMs, options)} deployments/min\n`);
  const effects = compareEffects(product.calls, product.vms, plain.calls, plain.vms);
  say(effects.table);
  say(`\n${cpuTable(product.cpuMsPerDeployment)}`);
  if (product.troubles.length > 0) {
    throw new Error(`${product.troubles.length} deployments did not succeed.\n  ${product.troubles.join('\n  ')}`);
  }
  if (effects.differing.length > 0) {
    throw new Error(`The two sides did not do the same work; different are: ${effects.differing.join(', ')}.`);
  }
  for (const { cls, name, uuid } of product.orphans) say(`  ORPHAN ${cls} ${name} (${uuid}) belongs to no deployment.`);
  return { product, plain };
}

/** Where the product's time goes: throughput at zero latency is the cores divided by the sum. */
function cpuTable(perPart: ReadonlyMap<string, number>): string {
  const rows = [...perPart, ['all', sumOf(perPart)] as const].map(([part, ms]) => [part, `${round(ms)} ms`]);
  return tableOf([['time on a core per deployment', ''], ...rows]);
}

function sumOf(perPart: ReadonlyMap<string, number>): number {
  return [...perPart.values()].reduce((sum, ms) => sum + ms, 0);
}

function perMinute(elapsedMs: number, { deployments }: Workload): number {
  return round((deployments * 60_000) / elapsedMs);
}

function figuresOf(zero: Round, reference: Round, load: Workload): Figures {
  const ratio = ({ product, plain }: Round) => round(plain.elapsedMs / product.elapsedMs);
  return {
    deploymentsPerMinute: perMinute(zero.product.elapsedMs, load),
    plainDeploymentsPerMinute: perMinute(zero.plain.elapsedMs, load),
    ratioToPlainScript: ratio(zero),
    deploymentsPerMinuteRealLatency: perMinute(reference.product.elapsedMs, load),
    plainDeploymentsPerMinuteRealLatency: perMinute(reference.plain.elapsedMs, load),
    ratioToPlainScriptRealLatency: ratio(reference),
    eventsPerDeployment: round(Math.max(zero.product.eventsPerDeployment, reference.product.eventsPerDeployment)),
    apiStartP99Ms: round(p99(zero.product.startMs)),
    apiReadP99Ms: round(p99(zero.product.readMs)),
    cpuMsPerDeployment: round(sumOf(zero.product.cpuMsPerDeployment)),
    workerPeakMiB: round(Math.max(zero.product.workerPeakMiB, reference.product.workerPeakMiB)),
    orphans: zero.product.orphans.length + reference.product.orphans.length,
  };
}

async function main(): Promise<number> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  try {
    const options = optionsFrom(process.argv.slice(2));
    const around = { temporalCli: options.temporalCli, signal: controller.signal, say };
    const zero = await measureRound('zero', options, around);
    const reference = await measureRound('reference', options, around);
    const report = reportOf('deploy', figuresOf(zero, reference, options));
    say(`\n${tableOf(Object.entries(report.figures).map(([name, value]) => [name, String(value)]))}`);
    if (options.json !== undefined) writeReport(options.json, report);
    return report.figures['orphans'] === 0 ? 0 : 1;
  } catch (error) {
    say(controller.signal.aborted ? 'Stopped; no process is left.' : `The benchmark failed: ${reasonOf(error)}`);
    return 1;
  }
}

process.exitCode = await main();
