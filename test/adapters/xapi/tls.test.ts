import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { PoolTls } from '../../../adapters/xapi/xapi.ts';
import { startLab, type Lab } from '../../../lab/lab.ts';
import { Memory, OpenPools, settingsOf, templateOf } from './support.ts';

const pools = new OpenPools();
let folder: string;
let lab: Lab;
let own: Certificate;
let other: Certificate;
let server: Server;
let port: number;

interface Certificate {
  readonly keyFile: string;
  readonly file: string;
  readonly fingerprint: string;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
  own = await selfSigned('own');
  other = await selfSigned('other');
  lab = await startLab();
  server = await tlsInFrontOf(lab, own);
  const bound = server.address();
  port = typeof bound === 'object' && bound !== null ? bound.port : 0;
});

afterEach(() => pools.close());

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await lab.close();
  await rm(folder, { recursive: true });
});

describe('a pool behind TLS', () => {
  it('is taken when its certificate is pinned, with colons or without', async () => {
    const fingerprints = [own.fingerprint, own.fingerprint.replaceAll(':', '').toLowerCase()];
    for (const fingerprint of fingerprints) {
      const xapi = poolWith({ mode: 'pinned', sha256Fingerprints: [other.fingerprint, fingerprint] });
      await expect(xapi.call('pool.get_all')).resolves.toHaveLength(1);
    }
  });

  it('is refused, before anything is sent to it, when another certificate is pinned', async () => {
    const before = lab.calls().length;
    const xapi = poolWith({ mode: 'pinned', sha256Fingerprints: [other.fingerprint] });
    await expect(xapi.call('pool.get_all')).rejects.toMatchObject({
      code: 'POOL_CERTIFICATE_REFUSED',
      message: expect.stringContaining(own.fingerprint),
    });
    expect(lab.calls().length).toBe(before);
  });

  it('is refused when no certificate is pinned at all', async () => {
    const xapi = poolWith({ mode: 'pinned', sha256Fingerprints: [] });
    await expect(xapi.call('pool.get_all')).rejects.toMatchObject({ code: 'POOL_CERTIFICATE_REFUSED' });
  });

  it('is taken when the authority of the CA file has signed it', async () => {
    const xapi = poolWith({ mode: 'ca', caFile: own.file });
    await expect(xapi.call('pool.get_all')).resolves.toHaveLength(1);
  });

  it('is refused when the authorities of the system do not know its certificate', async () => {
    const before = lab.calls().length;
    await expect(poolWith({ mode: 'ca' }).call('pool.get_all')).rejects.toMatchObject({
      code: 'POOL_CERTIFICATE_REFUSED',
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
    });
    expect(lab.calls().length).toBe(before);
  });

  it('is refused when its certificate names another host', async () => {
    const xapi = poolWith({ mode: 'ca', caFile: own.file }, 'localhost');
    await expect(xapi.call('pool.get_all')).rejects.toMatchObject({
      code: 'POOL_CERTIFICATE_REFUSED',
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
  });

  it('takes uploads over the same verified connection', async () => {
    const xapi = poolWith({ mode: 'pinned', sha256Fingerprints: [own.fingerprint] });
    const clone = await xapi.task(new Memory(), 'VM.clone', await templateOf(xapi), 'over-tls');
    const [vbd = ''] = await xapi.call('VM.get_VBDs', clone);
    const vdi = await xapi.call('VBD.get_VDI', vbd);
    await xapi.importRawVdi(new Memory(), 'the test', vdi, Buffer.alloc(65_536));
    expect(lab.calls({ method: 'PUT /import_raw_vdi' }).at(-1)).toMatchObject({ outcome: 'ok' });
  });
});

function poolWith(tls: PoolTls, address = '127.0.0.1') {
  return pools.of(settingsOf(lab, { addresses: [address], port, tls }));
}

/** What stunnel is in front of a genuine xapi. */
async function tlsInFrontOf(behind: Lab, certificate: Certificate): Promise<Server> {
  const { coordinatorAddress: host, port: plainPort = 0 } = behind.pools[0] ?? {};
  const [key, cert] = await Promise.all([readFile(certificate.keyFile), readFile(certificate.file)]);
  const front = createServer({ key, cert }, (client) => {
    const xapi = connect({ host, port: plainPort });
    client.pipe(xapi).pipe(client);
    client.on('error', () => xapi.destroy()).on('close', () => xapi.destroy());
    xapi.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return front;
}

/** Names 127.0.0.1 and nothing else. */
async function selfSigned(name: string): Promise<Certificate> {
  const [keyFile, file] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '2', ...subject, ...key, '-out', file]);
  return { keyFile, file, fingerprint: new X509Certificate(await readFile(file)).fingerprint256 };
}
