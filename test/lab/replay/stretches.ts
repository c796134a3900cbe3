import { involvesMember } from './asked.ts';
import type { Evidence } from './evidence.ts';
import { realRef } from './observed.ts';
import type { Exchange } from './recording.ts';

/** Exchanges of one group without a gap. */
function runsOf(exchanges: readonly Exchange[]): (readonly Exchange[])[] {
  const runs: Exchange[][] = [];
  for (const item of exchanges) {
    const last = runs.at(-1)?.at(-1);
    if (last?.n === item.n - 1 && last.group === item.group) runs.at(-1)?.push(item);
    else runs.push([item]);
  }
  return runs;
}

/**
 * Stretches without a gap in which what comes later follows from what came before: a group goes on with the one before it when
 * it uses a session of that one, else somebody started anew (after a restart, at another host).
 */
export function stretchesOf(exchanges: readonly Exchange[], { calls }: Evidence): (readonly Exchange[])[] {
  const sessions = (run: readonly Exchange[]) =>
    run.map(({ n }) => calls.get(n)?.params[0]).filter((ref) => typeof ref === 'string' && realRef.test(ref));
  const stretches: (readonly Exchange[])[] = [];
  for (const run of runsOf(exchanges)) {
    const last = stretches.at(-1) ?? [];
    const follows = last.at(-1)?.n === (run[0]?.n ?? 0) - 1 && involvesMember(run) === involvesMember(last);
    const known = new Set(sessions(last));
    if (follows && sessions(run).some((ref) => known.has(ref))) stretches[stretches.length - 1] = [...last, ...run];
    else stretches.push(run);
  }
  return stretches;
}
