/**
 * The baseline: what somebody would write who has xen-api, ssh2 and an afternoon. No product code, nothing is written
 * down, nothing is repeated or undone. Reads its job as JSON from standard input, answers one line of JSON.
 */
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { createClient, type XenApi } from 'xen-api';
import { configDrive } from './plain-drive.ts';

export interface PlainJob {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly guestSshPort: number;
  readonly template: string;
  readonly network: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  /** Deployed before the clock starts. */
  readonly warmUpNames: readonly string[];
  readonly names: readonly string[];
  readonly concurrency: number;
}

export interface PlainAnswer {
  /** From the first deployment's first call to the last one's key exchange, the warm-up left out. */
  readonly elapsedMs: number;
}

/** What is the same for all VMs: looked up once, the quickest way there is. */
interface Pool {
  readonly xapi: XenApi;
  readonly job: PlainJob;
  readonly template: string;
  readonly network: string;
  readonly mtu: number;
  readonly sr: string;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** The pauses between two questions to a guest that boots; the product waits alike. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/** How long a guest may take to report its address, and then to answer SSH. */
const GUEST_LIMIT_MS = 300_000;
const QOS = { qos_algorithm_type: '', qos_algorithm_params: {} };

async function connect(job: PlainJob): Promise<XenApi> {
  const xapi = createClient({
    url: job.url,
    auth: { user: job.user, password: job.password },
    watchEvents: false,
    transport: 'json-rpc',
    callTimeout: 600_000,
    roCallRetryOptions: { tries: 1, delay: 0 },
  });
  await xapi.connect();
  return xapi;
}

async function findPool(job: PlainJob): Promise<Pool> {
  const xapi = await connect(job);
  const [template = ''] = await ask<string[]>(xapi, 'VM.get_by_name_label', job.template);
  const [network = ''] = await ask<string[]>(xapi, 'network.get_by_name_label', job.network);
  const mtu = await ask<number>(xapi, 'network.get_MTU', network);
  const [vbd] = await ask<string[]>(xapi, 'VM.get_VBDs', template);
  const sr = await ask<string>(xapi, 'VDI.get_SR', await xapi.call('VBD.get_VDI', vbd));
  return { xapi, job, template, network, mtu, sr };
}

async function ask<T>(xapi: XenApi, method: string, ...params: readonly unknown[]): Promise<T> {
  return (await xapi.call(method, ...params)) as T;
}

async function deploy(pool: Pool, name: string): Promise<void> {
  const { xapi, job } = pool;
  const vm = await ask<string>(xapi, 'VM.clone', pool.template, `${name} (new)`);
  const otherConfig = await ask<Record<string, string>>(xapi, 'VM.get_other_config', vm);
  await xapi.call('VM.set_other_config', vm, { ...otherConfig, 'deployed-by': 'script' });
  await xapi.call('VM.set_name_label', vm, name);
  await xapi.call('VM.remove_from_other_config', vm, 'disks');
  await xapi.call('VM.provision', vm);
  const bytes = job.memoryMiB * MIB;
  await xapi.call('VM.set_memory_limits', vm, bytes, bytes, bytes, bytes);
  await xapi.call('VM.set_VCPUs_at_startup', vm, job.vcpus);
  await xapi.call('VM.set_VCPUs_max', vm, job.vcpus);
  await addDisk(pool, vm, `${name} data`, job.diskGiB * GIB, '1');
  await replaceInterfaces(pool, vm);
  const hostKey = await addConfigDrive(pool, vm, name);
  await xapi.call('VM.start', vm, false, false);
  const address = await untilAnswered(`${name} reports no address`, () => addressOf(xapi, vm));
  await untilAnswered(`${name} does not answer SSH`, () => exchangeKeys(address, job.guestSshPort, hostKey));
}

async function addDisk({ xapi, sr }: Pool, vm: string, name: string, sizeBytes: number, device: string) {
  const vdi = await ask<string>(xapi, 'VDI.create', {
    ...{ name_label: name, name_description: '', SR: sr, virtual_size: sizeBytes, type: 'user' },
    ...{ sharable: false, read_only: false, other_config: {} },
  });
  await xapi.call('VBD.create', {
    ...{ VM: vm, VDI: vdi, userdevice: device, bootable: false, mode: 'RW', type: 'Disk' },
    ...{ unpluggable: true, empty: false, other_config: {}, ...QOS },
  });
  return vdi;
}

async function replaceInterfaces({ xapi, network, mtu }: Pool, vm: string): Promise<void> {
  for (const vif of await ask<string[]>(xapi, 'VM.get_VIFs', vm)) await xapi.call('VIF.destroy', vif);
  await xapi.call('VIF.create', { VM: vm, network, device: '0', MAC: '', MTU: mtu, other_config: {}, ...QOS });
}

/** Answers the public key that the guest will have. */
async function addConfigDrive(pool: Pool, vm: string, name: string): Promise<Buffer> {
  const { key, publicKey, blob } = newHostKey();
  const config = {
    hostname: name,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: key, ed25519_public: publicKey },
  };
  // JSON is YAML.
  const drive = await configDrive({
    'meta-data': JSON.stringify({ 'instance-id': name, 'local-hostname': name }),
    'user-data': `#cloud-config\n${JSON.stringify(config)}\n`,
  });
  const vdi = await addDisk(pool, vm, `${name} config-drive`, drive.length, '15');
  const query = new URLSearchParams({ session_id: pool.xapi.sessionId, vdi, format: 'raw' }).toString();
  const url = `${pool.job.url}/import_raw_vdi?${query}`;
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(drive) });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the upload of ${name}'s config drive was answered with ${response.status}`);
  return blob;
}

/** About one pair in 300 that ssh2 makes is malformed (mscdex/ssh2#1513). */
function newHostKey() {
  for (;;) {
    const { private: key, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
    const [privateHalf, publicHalf] = [ssh2.utils.parseKey(key), ssh2.utils.parseKey(publicKey)];
    if (privateHalf instanceof Error || publicHalf instanceof Error) continue;
    return { key, publicKey: publicKey.trim(), blob: publicHalf.getPublicSSH() };
  }
}

async function addressOf(xapi: XenApi, vm: string): Promise<string | undefined> {
  const metrics = await ask<string>(xapi, 'VM.get_guest_metrics', vm);
  if (metrics === 'OpaqueRef:NULL') return undefined;
  return (await ask<Record<string, string>>(xapi, 'VM_guest_metrics.get_networks', metrics))['0/ip'];
}

/** True when the guest proved that it has the key; undefined when nothing speaks SSH yet. */
function exchangeKeys(host: string, port: number, hostKey: Buffer): Promise<true | undefined> {
  const client = new ssh2.Client();
  const exchanged = new Promise<true | undefined>((resolve) => {
    client.on('error', () => resolve(undefined));
    client.on('close', () => resolve(undefined));
    client.on('handshake', () => resolve(true));
    client.connect({
      ...{ host, port, username: 'script', authHandler: () => false as const, readyTimeout: 0 },
      algorithms: { serverHostKey: ['ssh-ed25519'] },
      hostVerifier: (presented: Buffer) => presented.equals(hostKey),
    });
  });
  return exchanged.finally(() => client.destroy());
}

async function untilAnswered<T>(otherwise: string, question: () => Promise<T | undefined>): Promise<T> {
  const deadlineMs = Date.now() + GUEST_LIMIT_MS;
  for (let pauseMs = FIRST_PAUSE_MS; Date.now() < deadlineMs; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
    const answer = await question();
    if (answer !== undefined) return answer;
    await sleep(pauseMs);
  }
  throw new Error(`${otherwise} within ${GUEST_LIMIT_MS / 1_000} s of its start`);
}

async function deployAll(pool: Pool, names: readonly string[]): Promise<void> {
  const waiting = names.values();
  const lane = async () => {
    for (const name of waiting) await deploy(pool, name);
  };
  await Promise.all(Array.from({ length: pool.job.concurrency }, lane));
}

async function main(): Promise<void> {
  const job = (await json(process.stdin)) as PlainJob;
  const pool = await findPool(job);
  await deployAll(pool, job.warmUpNames);
  const startedMs = performance.now();
  await deployAll(pool, job.names);
  const answer: PlainAnswer = { elapsedMs: performance.now() - startedMs };
  await pool.xapi.disconnect();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

await main();
