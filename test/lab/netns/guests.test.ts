import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { newEd25519KeyPair } from '../../../lab/guests/host-keys.ts';
import type { Lab } from '../../../lab/lab.ts';
import type { LabPool } from '../../../lab/pools.ts';
import { startLab } from '../../../lab/lab.ts';
import { NamespaceGuests } from '../../../lab/netns/namespace-guests.ts';
import { routedPool } from '../../../lab/scenario.ts';
import { eventually } from '../../support/eventually.ts';
import { runOverSsh, type Answer } from '../guests/ssh-client.ts';
import { RawClient } from '../raw-client.ts';
import {
  deployGuest,
  describeNamespaces,
  namespacesOf,
  networksWith,
  processesIn,
  type Deployment,
} from './namespaces.ts';
import { dhcpRouter } from './router-config.ts';

const labProgram = fileURLToPath(new URL('../../../dist/bin/lab.js', import.meta.url));
const recordsFolder = '/run/switchboard-lab';
const operator = newEd25519KeyPair();
const web: Deployment = {
  name: 'web-1',
  template: 'debian-12',
  networks: ['management', 'tenant'],
  cloudConfig: { disable_root: false, ssh_authorized_keys: [operator.public] },
};

const onGuest = (address: string, command: string, username = 'root'): Promise<Answer> =>
  runOverSsh({ host: address, port: 2222, username, privateKey: operator.private }, command);

async function bannerOf(host: string): Promise<string> {
  const socket = connect({ host, port: 2222 });
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

describeNamespaces('a namespace guest', () => {
  let lab: Lab;
  let client: RawClient;
  let mark: string;

  beforeAll(async () => {
    lab = await startLab({ guests: 'namespaces', pools: [routedPool()] });
    client = await RawClient.login(lab);
    mark = lab.namespaces?.mark ?? '';
  });

  afterAll(async () => {
    await lab.close();
    expect(namespacesOf(mark)).toEqual([]);
    expect(readdirSync(recordsFolder).filter((name) => name.startsWith(mark))).toEqual([]);
  });

  it('is deployed through XAPI, answers with a real sshd, and has its address from the router', async () => {
    const router = await deployGuest(client, dhcpRouter(operator.public));
    const vm = await deployGuest(client, web);
    const networks = await networksWith(client, vm, '1/ip');
    expect(networks['1/ip']).toMatch(/^10\.10\.0\.1\d\d$/);
    const address = networks['0/ip'] ?? '';
    expect(await bannerOf(address)).toMatch(/^SSH-2\.0-OpenSSH_[\d.p]+ Debian/);
    expect((await onGuest(address, 'hostname', 'debian')).stdout).toBe('web-1\n');
    const { stdout } = await onGuest(
      address,
      'ip -4 -o address show eth1; cat /sys/class/net/eth1/address /etc/resolv.conf',
    );
    const vifs = await client.call<string[]>('VM.get_VIFs', vm);
    const macs = await Promise.all(vifs.map((vif) => client.call('VIF.get_MAC', vif)));
    expect(macs.some((mac) => stdout.includes(mac))).toBe(true);
    expect(stdout).toContain(`${networks['1/ip']}/24`);
    expect(stdout).toContain('nameserver 10.10.0.1');
    await client.call('VM.hard_shutdown', vm);
    await client.call('VM.clean_shutdown', router);
    expect(namespacesOf(mark).filter((name) => name.includes('-vm-'))).toEqual([]);
  });

  it('writes into files of its own only, and keeps them from one start to the next', async () => {
    const vm = await deployGuest(client, { ...web, name: 'web-2', networks: ['management'] });
    const { '0/ip': address = '' } = await networksWith(client, vm, '0/ip');
    await onGuest(address, 'touch /etc/keepalived/of-the-guest /root/of-the-guest && rm -r /usr/share/doc');
    expect(existsSync('/etc/keepalived/of-the-guest')).toBe(false);
    expect(existsSync('/usr/share/doc')).toBe(true);
    await client.call('VM.clean_reboot', vm);
    await networksWith(client, vm, '0/ip');
    const { stdout } = await onGuest(address, 'ls /etc/keepalived /root; ls -d /usr/share/doc');
    expect(stdout.match(/of-the-guest/g)).toHaveLength(2);
    expect(stdout).not.toContain('/usr/share/doc');
    await client.call('VM.hard_shutdown', vm);
    await client.call('VM.destroy', vm);
  });
});

describeNamespaces('a killed lab', () => {
  it('leaves no process behind, and the next start removes the rest', async () => {
    const env = { ...process.env, SWITCHBOARD_LAB_GUESTS: 'namespaces' };
    const child = spawn(process.execPath, [labProgram], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const ready = JSON.parse(line) as { pid: number; pools: LabPool[] };
    const client = await RawClient.login(ready);
    const vm = await deployGuest(client, { ...web, networks: ['tenant'] });
    await networksWith(client, vm, '0/ip');
    const [record = ''] = readdirSync(recordsFolder).filter((name) => ownerIn(name) === ready.pid);
    const mark = record.replace('.json', '');
    const namespace = namespacesOf(mark).find((name) => name.includes('-vm-')) ?? '';
    expect(processesIn(namespace)).not.toBe('');
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await eventually(
      () => Promise.resolve(processesIn(namespace)),
      (pids) => pids === '',
      'the kernel has ended every process of the guest',
    );
    await (await NamespaceGuests.open({ onFault: () => undefined })).close();
    expect(namespacesOf(mark)).toEqual([]);
    expect(existsSync(`${recordsFolder}/${mark}`)).toBe(false);
    expect(existsSync(`${recordsFolder}/${record}`)).toBe(false);
  });

  function ownerIn(name: string): number | undefined {
    if (!name.endsWith('.json')) return undefined;
    return (JSON.parse(readFileSync(`${recordsFolder}/${name}`, 'utf8')) as { pid: number }).pid;
  }
});
