import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { HostFacts } from '../../domain/placement.ts';

/** How long an answer serves others that ask. */
const RECENT_MS = 2_000;

interface Reading {
  readonly begunMs: number;
  readonly facts: Promise<HostFacts[]>;
}

/**
 * The facts of each pool's hosts as of the last moment, read once for all runs that ask in it: they are the largest answers
 * of a deployment. Good for a first opinion only, since the pool counts again at the start; a refusal rests on a new reading.
 */
export class RecentHostFacts {
  readonly #readings = new Map<string, Reading>();

  read(xapi: Xapi): Promise<HostFacts[]> {
    const last = this.#readings.get(xapi.poolId);
    if (last !== undefined && performance.now() - last.begunMs < RECENT_MS) return last.facts;
    const reading = { begunMs: performance.now(), facts: readHostFacts(xapi) };
    this.#readings.set(xapi.poolId, reading);
    // A reading that failed is nobody else's failure.
    reading.facts.catch(() => this.#readings.delete(xapi.poolId));
    return reading.facts;
  }
}

/** What every host of the pool could take right now, as XAPI itself counts it (host.compute_free_memory). */
export async function readHostFacts(xapi: Xapi): Promise<HostFacts[]> {
  const [hosts, metrics, pbds, pifs, srs, networks] = await Promise.all([
    xapi.call('host.get_all_records'),
    xapi.call('host_metrics.get_all_records'),
    xapi.call('PBD.get_all_records'),
    xapi.call('PIF.get_all_records'),
    xapi.call('SR.get_all_records'),
    xapi.call('network.get_all_records'),
  ]);
  const plugged = Object.values(pbds).filter((pbd) => pbd.currently_attached);
  const facts = Object.entries(hosts).map(async ([ref, host]) => {
    const live = metrics[host.metrics]?.live ?? false;
    const here = Object.values(pifs).filter((pif) => pif.host === ref);
    return {
      uuid: host.uuid,
      name: host.name_label,
      enabled: host.enabled,
      live,
      freeMemoryBytes: live ? await xapi.call('host.compute_free_memory', ref) : 0,
      cpuCount: Number(host.cpu_info['cpu_count'] ?? host.host_CPUs.length),
      srUuids: plugged.filter((pbd) => pbd.host === ref).flatMap((pbd) => srs[pbd.SR]?.uuid ?? []),
      networkUuids: Object.entries(networks)
        // A network without any PIF is internal: every host has it.
        .filter(([network, record]) => record.PIFs.length === 0 || here.some((pif) => pif.network === network))
        .map(([, record]) => record.uuid),
    };
  });
  return Promise.all(facts);
}
