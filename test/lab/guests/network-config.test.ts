import { afterAll, describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { InProcessGuests, type RunningGuest } from '../../../lab/guests/guest.ts';
import { readInterfaces } from '../../../lab/guests/network-config.ts';
import { answeredUntilStopped, consoleLine, driveWith, specOf } from './boot.ts';

const mac = '00:16:3e:00:00:01';
const guests = new InProcessGuests({});

afterAll(() => guests.close());

function bootWith(networkConfig: object | string): RunningGuest {
  const text = typeof networkConfig === 'string' ? networkConfig : stringify(networkConfig);
  return guests.boot(specOf(driveWith({}, { 'network-config': text }), { vifs: [{ mac }] }));
}

/** An address that was free a moment ago. */
async function freeAddress(): Promise<string> {
  const guest = guests.boot(specOf(undefined));
  const { address } = await guest.booted;
  await guest.stop();
  return address;
}

function staticAddress(address: string, macaddress = mac): object {
  return { version: 2, ethernets: { eth0: { match: { macaddress }, addresses: [`${address}/8`] } } };
}

describe('network-config', () => {
  it('gives the guest its static address', async () => {
    const address = await freeAddress();
    expect((await bootWith(staticAddress(address)).booted).address).toBe(address);
  });

  it('may stand under "network", with the MAC address in upper case', async () => {
    const address = await freeAddress();
    const guest = bootWith({ network: staticAddress(address, mac.toUpperCase()) });
    expect((await guest.booted).address).toBe(address);
  });

  it('configures several interfaces, by MAC address or by number', () => {
    const text = stringify({
      version: 2,
      ethernets: {
        tenant: { match: { macaddress: mac }, addresses: ['10.0.0.1/24'] },
        enX0: { dhcp4: true },
        eth2: { addresses: ['192.0.2.2/24'], gateway4: '192.0.2.1', nameservers: { addresses: ['192.0.2.1'] } },
      },
    });
    const plain = { addresses: [], dhcp4: false, routes: [], nameservers: [] };
    expect(readInterfaces(text, ['00:16:3e:00:00:07', mac, '00:16:3e:00:00:08', '00:16:3e:00:00:09'])).toEqual([
      { ...plain, dhcp4: true },
      { ...plain, addresses: ['10.0.0.1/24'] },
      {
        ...plain,
        addresses: ['192.0.2.2/24'],
        routes: [{ to: 'default', via: '192.0.2.1' }],
        nameservers: ['192.0.2.1'],
      },
      undefined,
    ]);
  });

  it('leaves the address to DHCP when it says so', async () => {
    const guest = bootWith({ version: 2, ethernets: { eth0: { dhcp4: true } } });
    expect((await guest.booted).address).toMatch(/^127\.1\./);
  });

  it.each([
    ['for another MAC address', staticAddress('127.1.9.9', '00:16:3e:00:00:99'), /gives no address to an interface/],
    ['without any address', { version: 2, ethernets: { eth0: {} } }, /gives no address to an interface/],
    ['of another version', { version: 1, config: [] }, /not a version 2 configuration/],
    ['that is no YAML', 'version: [', /network-config is not valid YAML/],
    ['with an address that is not of this machine', staticAddress('192.0.2.7'), /192\.0\.2\.7 cannot be had/],
  ])('%s leaves the guest without an answer', async (_what, networkConfig, reason) => {
    const guest = bootWith(networkConfig);
    expect(await consoleLine(guest, /boot failed/)).toMatch(reason);
    expect(await answeredUntilStopped(guest)).toBe(false);
  });

  it('with an address that another guest has leaves the second without an answer', async () => {
    const { address } = await guests.boot(specOf(undefined)).booted;
    expect(await consoleLine(bootWith(staticAddress(address)), /boot failed/)).toContain(`${address} cannot be had`);
  });
});
