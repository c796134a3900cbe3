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

type Ends = Pick<ProbeSpec, 'from' | 'to' | 'address'>;

/** One line for people: what each direction lost, and its longest gap beside the sender's own. */
function figures(title: string, { protocol, directions, senderPauseMs, overflowed }: ProbeReport): string {
  const each = directions.map(
    ({ direction, sent, lost, longestGapMs }) =>
      `${direction} ${lost.length} of ${sent} lost, longest gap ${longestGapMs} ms`,
  );
  return `${title}, ${protocol}: ${each.join('; ')} (sender's own pause ${senderPauseMs} ms, overflowed ${overflowed})\n`;
}

const lostIn = ({ directions }: ProbeReport): number => directions.reduce((sum, { lost }) => sum + lost.length, 0);

/** A lab of namespaces, a client of its pool, and what the tests do with its routers. */
class Site {
  readonly lab: Lab;
  readonly guests: NamespaceGuests;
  readonly client: RawClient;

  private constructor(lab: Lab, guests: NamespaceGuests, client: RawClient) {
    this.lab = lab;
    this.guests = guests;
    this.client = client;
  }

  static async start(): Promise<Site> {
    const lab = await startLab({ guests: 'namespaces', pools: [routedPool()] });
    if (lab.namespaces === undefined) throw new Error('the lab has no namespaces');
    return new Site(lab, lab.namespaces, await RawClient.login(lab));
  }

  async deployRouter(name: string, number: 2 | 3, peer: 2 | 3, priority: number): Promise<Router> {
    const about = { name, number, peer, priority, authorizedKey: operator.public };
    const vm = await deployGuest(this.client, routerOfPair(about));
    const { '0/ip': address = '' } = await networksWith(this.client, vm, '0/ip');
    return { vm, uuid: await this.client.call('VM.get_uuid', vm), address };
  }

  async onRouter({ address, uuid }: Router, command: string): Promise<string> {
    const login = { host: address, port: 2222, username: 'root', privateKey: operator.private };
    const { stdout, stderr, exitCode } = await runOverSsh(login, command);
    if (exitCode === 0) return stdout;
    const console = this.guests.find(uuid)?.consoleLog.join('\n');
    throw new Error(`${command} ended with ${exitCode}: ${stderr}${stdout}\nIts console:\n${console}`);
  }

  async ownsVirtualAddresses({ vm }: Router): Promise<void> {
    await networksWith(this.client, vm, '1/ipv4/1');
    await networksWith(this.client, vm, '2/ipv4/1');
  }

  /** Resolves when the other router's kernel knows the connection to this port, too. */
  isSynchronised({ uuid }: Router, port: number): Promise<unknown> {
    return eventually(
      async () => (await this.guests.find(uuid)?.execute(['conntrack', '-L']))?.stdout ?? '',
      (table) => table.includes(`dport=${port} `),
      `the connection to port ${port} is synchronised`,
    );
  }

  /** A client in the tenants' network and a server outside, between which probes go through the routers. */
  async addEnds(): Promise<Ends> {
    const networkNamed = async (name: string): Promise<string> =>
      this.client.call('network.get_uuid', await byName(this.client, 'network', name));
    const [tenant, outside] = [await networkNamed('tenant'), await networkNamed('public')];
    const client = { role: 'client', address: '10.10.0.50/24', gateway: '10.10.0.1' } as const;
    return {
      from: await this.guests.addEndpoint({ network: tenant, ...client }),
      to: await this.guests.addEndpoint({ network: outside, role: 'server', address: '192.0.2.50/24' }),
      address: '192.0.2.50',
    };
  }
}

describeNamespaces('a redundant pair of routers', () => {
  let site: Site;
  let primary: Router;
  let backup: Router;
  let ends: Ends;

  beforeAll(async () => {
    site = await Site.start();
    primary = await site.deployRouter('router-1a', 2, 3, 150);
    await site.ownsVirtualAddresses(primary);
    backup = await site.deployRouter('router-1b', 3, 2, 100);
    const ready = 'cloud-init status --wait && systemctl is-active keepalived && systemctl is-active conntrackd';
    await site.onRouter(backup, ready);
    ends = await site.addEnds();
  });

  afterAll(() => site.lab.close());

  it('hands over gracefully without losing a probe or a stream', async () => {
    const udp = await startProbe({ ...ends, protocol: 'udp', port: 5001, perSecond: 1_000, seconds: 4 });
    const icmp = await startProbe({ ...ends, protocol: 'icmp', port: 0, perSecond: 200, seconds: 4 });
    const tcp = await startProbe({ ...ends, protocol: 'tcp', port: 5002, perSecond: 200, seconds: 4 });
    await site.isSynchronised(backup, 5001);
    await site.isSynchronised(backup, 5002);
    await site.onRouter(primary, 'systemctl stop keepalived');
    await site.ownsVirtualAddresses(backup);
    const reports = await Promise.all([udp.finished, icmp.finished, tcp.finished]);
    process.stdout.write(reports.map((report) => figures('graceful handover', report)).join(''));
    expect(reports.map(lostIn)).toEqual([0, 0, 0]);
    expect(reports[2].broken).toBeUndefined();
  });

  it('shows a gap when the router is killed', async () => {
    await site.onRouter(primary, 'systemctl start keepalived');
    const udp = await startProbe({ ...ends, protocol: 'udp', port: 5003, perSecond: 1_000, seconds: 6 });
    await site.isSynchronised(primary, 5003);
    await site.client.call('VM.hard_shutdown', backup.vm);
    await site.ownsVirtualAddresses(primary);
    const report = await udp.finished;
    process.stdout.write(figures('killed router', report));
    expect(lostIn(report)).toBeGreaterThan(0);
    const [forward] = report.directions;
    expect(forward?.received).toBeGreaterThan(0);
    expect(report.overflowed).toBe(0);
  });
});
