import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolTls } from '../../adapters/xapi/xapi.ts';
import type { Lab } from '../../lab/lab.ts';
import { startLab } from '../../lab/lab.ts';
import { parseScenario } from '../../lab/scenario-file.ts';
import { defaultPool } from '../../lab/scenario.ts';
import { OpenPools, settingsOf } from '../adapters/xapi/support.ts';
import { connectXenApi, leave } from './full-xen-api.ts';

let lab: Lab;
let folder: string;
const pools = new OpenPools();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-tls-'));
  lab = await startLab({ pools: [{ ...defaultPool(), tls: true }] });
});
afterAll(async () => {
  await pools.close();
  await lab.close();
  await rm(folder, { recursive: true });
});

const pool = () => {
  const [first] = lab.pools;
  if (first === undefined) throw new Error('the lab has no pool');
  return first;
};
const product = (tls: PoolTls) => pools.of(settingsOf(lab, { addresses: pool().hostAddresses, tls }));

/** What the coordinator is answered with, whoever signed its certificate. */
async function callUnverified(method: string, params: readonly unknown[]): Promise<{ result: unknown; seen: string }> {
  const url = `${pool().url}/jsonrpc`;
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', rejectUnauthorized: false, agent: false }, (res) => {
      const seen = (res.socket as unknown as { getPeerCertificate(): { fingerprint256: string } }).getPeerCertificate();
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => {
        const { result } = JSON.parse(Buffer.concat(chunks).toString()) as { result: unknown };
        resolve({ result, seen: seen.fingerprint256 });
      });
    });
    req.on('error', reject);
    const body = JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 });
    req.setHeader('content-length', body.length);
    req.end(body);
  });
}

describe('a pool of the lab with TLS', () => {
  it('is driven by the unmodified npm xen-api, its events and tasks too', async () => {
    const xapi = await connectXenApi(lab, true);
    await xapi.objectsFetched;
    const [template] = await xapi.call<string[]>('VM.get_by_name_label', 'debian-12');
    const vm = await xapi.callAsync<string>('VM.clone', template, 'web-1');
    await xapi.callAsync('VM.provision', vm);
    expect(await xapi.call('VM.get_power_state', vm)).toBe('Halted');
    await leave(lab, xapi);
  });

  it('tells its certificates on the control port, and the product takes it when they are pinned', async () => {
    expect(pool().certificateFingerprints).toHaveLength(3);
    const pinned = product({ mode: 'pinned', sha256Fingerprints: pool().certificateFingerprints });
    await expect(pinned.call('host.get_all')).resolves.toHaveLength(3);
    const other = product({ mode: 'pinned', sha256Fingerprints: ['00'.repeat(32)] });
    await expect(other.call('host.get_all')).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_REFUSED' });
  });

  it('answers at each host with a certificate that names its address', async () => {
    const caFile = join(folder, 'ca.pem');
    const { result: session } = await callUnverified('session.login_with_password', [pool().user, pool().password]);
    const { result: hosts } = await callUnverified('host.get_all', [session]);
    const answers = (hosts as string[]).map((host) => callUnverified('host.get_server_certificate', [session, host]));
    const certificates = (await Promise.all(answers)).map(({ result }) => String(result));
    await writeFile(caFile, certificates.join(''));
    await expect(product({ mode: 'ca', caFile }).call('host.get_all')).resolves.toHaveLength(3);
    const shown = certificates.map((text) => new X509Certificate(text));
    expect(shown.map(({ fingerprint256 }) => fingerprint256).sort()).toEqual(
      [...pool().certificateFingerprints].sort(),
    );
    expect(shown.every((certificate) => certificate.verify(certificate.publicKey))).toBe(true);
  });

  it('shows a new certificate, and has it on record, as soon as a host has reset it', async () => {
    const { result: session, seen: before } = await callUnverified('session.login_with_password', [
      pool().user,
      pool().password,
    ]);
    const { master } = lab.world.pool;
    await callUnverified('host.reset_server_certificate', [session, master]);
    const { result, seen } = await callUnverified('host.get_certificates', [session, master]);
    const [certificate] = result as string[];
    expect(seen).not.toBe(before);
    expect((await callUnverified('Certificate.get_fingerprint_sha256', [session, certificate])).result).toBe(seen);
    expect(pool().certificateFingerprints).not.toContain(before);
  });
});

describe('a scenario', () => {
  it('says which of its pools have TLS', () => {
    const about = 'hosts: [{name: h, memoryGiB: 8, cpus: 4}], srs: [{name: s, sizeGiB: 9}], networks: [{name: n}]';
    const text = `description: two\npools:\n  - {id: a, tls: true, ${about}}\n  - {id: b, ${about}}\n`;
    expect(parseScenario(text, 'two.yaml').options.pools?.map(({ tls }) => tls)).toEqual([true, undefined]);
  });
});
