import type { Lab } from '../../../lab/lab.ts';

export interface Upload {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly content: Buffer;
  /** Which host takes it, from 0, the coordinator. */
  readonly host?: number;
}

/** PUTs a file as clients do, and says how the host answered. */
export async function put(lab: Lab, { path, query, content, host = 0 }: Upload): Promise<Response> {
  const [pool] = lab.pools;
  const url = `http://${pool?.hostAddresses[host] ?? ''}:${pool?.port ?? 0}${path}?${new URLSearchParams(query).toString()}`;
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(content), redirect: 'manual' });
  await response.text().catch(() => '');
  return response;
}

/** A session of its own, for what goes over plain HTTP. */
export async function openSession(lab: Lab): Promise<string> {
  const [pool] = lab.pools;
  if (pool === undefined) throw new Error('the lab has no pool');
  const values = [pool.user, pool.password].map((text) => `<param><value>${text}</value></param>`).join('');
  const body = `<methodCall><methodName>session.login_with_password</methodName><params>${values}</params></methodCall>`;
  const answer = await (await fetch(`${pool.url}/RPC2`, { method: 'POST', body })).text();
  return /OpaqueRef:[0-9a-f-]{36}/.exec(answer)?.[0] ?? '';
}
