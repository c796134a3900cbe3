import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { HostFacts } from '../../domain/placement.ts';

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
