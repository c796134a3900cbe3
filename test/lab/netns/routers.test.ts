import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { newEd25519KeyPair } from '../../../lab/guests/host-keys.ts';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import type { NamespaceGuests } from '../../../lab/netns/namespace-guests.ts';
import type { ProbeReport } from '../../../lab/netns/probe-report.ts';
import type { ProbeSpec } from '../../../lab/netns/probes.ts';
import { startProbe } from '../../../lab/netns/probes.ts';
import { routedPool } from '../../../lab/scenario.ts';
import { eventually } from '../../support/eventually.ts';
import { runOverSsh } from '../guests/ssh-client.ts';
import { RawClient } from '../raw-client.ts';
import { byName } from '../with-lab.ts';
import { deployGuest, describeNamespaces, networksWith } from './namespaces.ts';
import { routerOfPair } from './router-config.ts';

const operator = newEd25519KeyPair();

interface Router {
  readonly vm: string;
  readonly uuid: string;
  readonly address: string;
}

/** One line for people: what each direction lost, and its longest gap beside the sender's own. */
function figures(title: string, { protocol, directions, senderPauseMs, overflowed }: ProbeReport): string {
  const each = directions.map(
    ({ direction, sent, lost, longestGapMs }) =>
      `${direction} ${lost.length} of ${sent} lost, longest gap ${longestGapMs} ms`,
  );
  return `${title}, ${protocol}: ${each.join('; ')} (sender's own pause ${senderPauseMs} ms, overflowed ${overflowed})\n`;
}

const lostIn = ({ directions }: ProbeReport): number => directions.reduce((sum, { lost }) => sum + lost.length, 0);

describeNamespaces('a redundant pair of routers', () => {
  let lab: Lab;
  let client: RawClient;
  let guests: NamespaceGuests;
  let primary: Router;
  let backup: Router;
  let ends: Pick<ProbeSpec, 'from' | 'to' | 'address'>;

  async function deployRouter(name: string, number: 2 | 3, peer: 2 | 3, priority: number): Promise<Router> {
    const vm = await deployGuest(
      client,
      routerOfPair({ name, number, peer, priority, authorizedKey: operator.public }),
    );
    const { '0/ip': address = '' } = await networksWith(client, vm, '0/ip');
    return { vm, uuid: await client.call('VM.get_uuid', vm), address };
  }

  async function onRouter({ address, uuid }: Router, command: string): Promise<string> {
    const login = { host: address, port: 2222, username: 'root', privateKey: operator.private };
    const { stdout, stderr, exitCode } = await runOverSsh(login, command);
    if (exitCode === 0) return stdout;
    const console = guests.find(uuid)?.consoleLog.join('\n');
    throw new Error(`${command} ended with ${exitCode}: ${stderr}${stdout}\nIts console:\n${console}`);
  }

  const ownsVirtualAddresses = async ({ vm }: Router): Promise<void> => {
    await networksWith(client, vm, '1/ipv4/1');
    await networksWith(client, vm, '2/ipv4/1');
  };

  /** Resolves when the other router's kernel knows the connection to this port, too. */
  const isSynchronised = ({ uuid }: Router, port: number): Promise<unknown> =>
    eventually(
      async () => (await guests.find(uuid)?.execute(['conntrack', '-L']))?.stdout ?? '',
      (table) => table.includes(`dport=${port} `),
      `the connection to port ${port} is synchronised`,
    );

  beforeAll(async () => {
    lab = await startLab({ guests: 'namespaces', pools: [routedPool()] });
    if (lab.namespaces === undefined) throw new Error('the lab has no namespaces');
    guests = lab.namespaces;
    client = await RawClient.login(lab);
    primary = await deployRouter('router-1a', 2, 3, 150);
    await ownsVirtualAddresses(primary);
    backup = await deployRouter('router-1b', 3, 2, 100);
    await onRouter(
      backup,
      'cloud-init status --wait && systemctl is-active keepalived && systemctl is-active conntrackd',
    );
    const networkNamed = async (name: string): Promise<string> =>
      client.call('network.get_uuid', await byName(client, 'network', name));
    ends = {
      from: await guests.addEndpoint({
        ...{ network: await networkNamed('tenant'), role: 'client' as const },
        ...{ address: '10.10.0.50/24', gateway: '10.10.0.1' },
      }),
      to: await guests.addEndpoint({ network: await networkNamed('public'), role: 'server', address: '192.0.2.50/24' }),
      address: '192.0.2.50',
    };
  });

  afterAll(() => lab.close());

  it('hands over gracefully without losing a probe or a stream', async () => {
    const udp = await startProbe({ ...ends, protocol: 'udp', port: 5001, perSecond: 1_000, seconds: 4 });
    const icmp = await startProbe({ ...ends, protocol: 'icmp', port: 0, perSecond: 200, seconds: 4 });
    const tcp = await startProbe({ ...ends, protocol: 'tcp', port: 5002, perSecond: 200, seconds: 4 });
    await isSynchronised(backup, 5001);
    await isSynchronised(backup, 5002);
    await onRouter(primary, 'systemctl stop keepalived');
    await ownsVirtualAddresses(backup);
    const reports = await Promise.all([udp.finished, icmp.finished, tcp.finished]);
    process.stdout.write(reports.map((report) => figures('graceful handover', report)).join(''));
    expect(reports.map(lostIn)).toEqual([0, 0, 0]);
    expect(reports[2].broken).toBeUndefined();
  });

  it('shows a gap when the router is killed', async () => {
    await onRouter(primary, 'systemctl start keepalived');
    const udp = await startProbe({ ...ends, protocol: 'udp', port: 5003, perSecond: 1_000, seconds: 6 });
    await isSynchronised(primary, 5003);
    await client.call('VM.hard_shutdown', backup.vm);
    await ownsVirtualAddresses(primary);
    const report = await udp.finished;
    process.stdout.write(figures('killed router', report));
    expect(lostIn(report)).toBeGreaterThan(0);
    const [forward] = report.directions;
    expect(forward?.received).toBeGreaterThan(0);
    expect(report.overflowed).toBe(0);
  });
});
