import { Connection, bodyOf, login } from './rpc.ts';
import type { Pool, Request } from './rpc.ts';

/** What one connection sends, again and again, and where. */
export interface Lane {
  readonly url: string;
  readonly bodies: readonly string[];
}

const VMS_PER_POOL = 20;
const REAL_VMS = 'field "is_control_domain" = "false"';

/** Seven reads and three writes, as a client that watches over VMs and marks them would send them. */
function mixFor(session: string, vm: string, name: string, key: string): Request[] {
  return [
    { method: 'VM.get_record', params: [session, vm] },
    { method: 'VM.get_power_state', params: [session, vm] },
    { method: 'VM.set_name_description', params: [session, vm, 'one'] },
    { method: 'VM.get_by_name_label', params: [session, name] },
    { method: 'VM.get_VBDs', params: [session, vm] },
    // In this order: the measurement before may have ended with the key there.
    { method: 'VM.remove_from_other_config', params: [session, vm, key] },
    { method: 'VM.get_other_config', params: [session, vm] },
    { method: 'VM.add_to_other_config', params: [session, vm, key, 'value'] },
    { method: 'VM.get_allowed_operations', params: [session, vm] },
    { method: 'host.get_all', params: [session] },
  ];
}

/** One lane per connection, each with VMs of its own as long as there are enough, spread over the pools. */
export async function lanesFor(pools: readonly Pool[], connections: number): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (const [at, pool] of pools.slice(0, connections).entries()) {
    const { connection, session } = await login(pool);
    const vms = await connection.call<Record<string, { name_label: string }>>(
      'VM.get_all_records_where',
      session,
      REAL_VMS,
    );
    await connection.close();
    const found = Object.entries(vms).slice(0, VMS_PER_POOL);
    const own = Math.floor((connections - 1 - at) / pools.length) + 1;
    for (let lane = 0; lane < own; lane++) {
      const mine = found.filter((_, vm) => vm % own === lane % found.length);
      const requests = mine.flatMap(([vm, { name_label: name }]) => mixFor(session, vm, name, `bench-${lane}`));
      lanes.push({ url: pool.url, bodies: requests.map(bodyOf) });
    }
  }
  return lanes;
}

/** Sends so many requests over all lanes at once; answers how many per second were answered. Rejects when one is refused. */
export async function measureRate(lanes: readonly Lane[], calls: number): Promise<number> {
  const connections = lanes.map(({ url }) => new Connection(url));
  let sent = 0;
  const run = async (connection: Connection, bodies: readonly string[]) => {
    for (let at = 0; sent < calls; at++) {
      sent += 1;
      const text = await connection.post(bodies[at % bodies.length] ?? '');
      if (text.startsWith('{"jsonrpc":"2.0","error"')) throw new Error(`a call of the load was refused: ${text}`);
    }
  };
  const startedMs = performance.now();
  try {
    await Promise.all(connections.map((connection, at) => run(connection, lanes[at]?.bodies ?? [])));
    return (calls * 1000) / (performance.now() - startedMs);
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}
