import { isSshFault } from '../fault-spec.ts';
import type { Records } from '../model/records.ts';
import { formatDate } from '../world/dates.ts';
import { nullRef } from '../world/identities.ts';
import type { GuestVif } from '../world/guests.ts';
import { isolatedKey } from '../world/guests.ts';
import type { HousedGuest, World } from '../world/world.ts';
import { faultAt } from './fault-points.ts';
import { vdisOf } from './vm-support.ts';

/** The uploaded disk with the highest device: the boot disk comes first, the config drive after it. */
async function configDrive(world: World, vm: string): Promise<Buffer | undefined> {
  const uploaded = vdisOf(world, vm)
    .filter(({ vdi }) => world.contents.has(vdi))
    .sort(
      (a, b) => Number(world.store.get('VBD', a.vbd).userdevice) - Number(world.store.get('VBD', b.vbd).userdevice),
    );
  const last = uploaded.at(-1);
  return last === undefined ? undefined : world.contents.read(last.vdi);
}

function vifsOf(world: World, vm: string): GuestVif[] {
  return world.store
    .get('VM', vm)
    .VIFs.map((ref) => world.store.get('VIF', ref))
    .sort((a, b) => Number(a.device) - Number(b.device))
    .map(({ device, MAC: mac, network: ref }) => {
      const { uuid: network, other_config: settings } = world.store.get('network', ref);
      return { device, mac, network, isolated: settings[isolatedKey] === 'true' };
    });
}

/** What the agent in the guest reports once it is up. */
export const guestReport = (networks: Readonly<Record<string, string>>): Partial<Records['VM_guest_metrics']> => ({
  os_version: {
    name: 'Debian GNU/Linux 12 (bookworm)',
    distro: 'debian',
    major: '12',
    minor: '0',
    uname: '6.1.0-18-amd64',
  },
  PV_drivers_version: { major: '8', minor: '4', micro: '0', build: '1' },
  PV_drivers_up_to_date: true,
  PV_drivers_detected: true,
  networks: { ...networks },
  other: {
    'feature-suspend': '1',
    'feature-poweroff': '1',
    'feature-reboot': '1',
    'feature-vcpu-hotplug': '1',
    'feature-balloon': '1',
  },
  last_updated: formatDate(Date.now()),
  live: true,
});

function reportGuest(world: World, vm: string, networks: Readonly<Record<string, string>>): void {
  const report = guestReport(networks);
  const { guest_metrics: known } = world.store.get('VM', vm);
  if (known !== nullRef) world.store.update('VM_guest_metrics', known, report);
  else world.store.update('VM', vm, { guest_metrics: world.store.create('VM_guest_metrics', report) });
}

/** What the guest said in its run before is kept while the VM is halted, and goes when it starts again. */
export function dropReport(world: World, vm: string): void {
  const { guest_metrics: metrics } = world.store.get('VM', vm);
  if (metrics === nullRef) return;
  world.store.update('VM', vm, { guest_metrics: nullRef });
  world.store.destroy('VM_guest_metrics', metrics);
}

/** Powers the guest on; the VM is Running whether or not it ever answers. The boot itself goes on in the background. */
export async function bootGuest(
  world: World,
  vm: string,
  bootDelayMs = world.latency.milliseconds('boot'),
): Promise<void> {
  const { uuid, name_label: name, resident_on: host } = world.store.get('VM', vm);
  const drive = await configDrive(world, vm);
  const fault = faultAt(world, 'guest.boot', 'VM', vm, host);
  const home = { world, vm };
  const guest = world.guests.boot({
    vmUuid: uuid,
    name,
    drive,
    vifs: vifsOf(world, vm),
    addressHint: world.guestAddress(uuid),
    bootDelayMs: bootDelayMs + (fault?.kind === 'slow' ? fault.delayMs : 0),
    sshPort: world.guestSshPort,
    neverBoots: fault?.kind === 'never-boots',
    onSshConnection: () => {
      const { world: pool, vm: self } = home;
      const fault = faultAt(pool, 'guest.ssh', 'VM', self, pool.store.find('VM', self)?.resident_on);
      return isSshFault(fault) ? fault : undefined;
    },
    onNetworks: (networks) => {
      const { world: pool, vm: self } = home;
      if (pool.runningGuests.get(self) !== housed || pool.store.find('VM', self) === undefined) return;
      const address = networks['0/ip'];
      if (address !== undefined) pool.setGuestAddress(uuid, address);
      reportGuest(pool, self, networks);
    },
  });
  const housed: HousedGuest = Object.assign(guest, { home });
  world.runningGuests.set(vm, housed);
  guest.booted.catch(world.onFault);
}

/** The guest plays the VM of another pool from now on; it notices nothing, nor does who is connected to it. */
export function rehouseGuest(from: World, vm: string, to: World, vmThere: string): void {
  const guest = from.runningGuests.get(vm);
  if (guest === undefined) return;
  from.runningGuests.delete(vm);
  to.runningGuests.set(vmThere, guest);
  Object.assign(guest.home, { world: to, vm: vmThere });
}

/** While a guest reboots it has no address: who waits for one would take the old one for a sign of life. */
export function silenceReport(world: World, vm: string): void {
  const { guest_metrics: report } = world.store.get('VM', vm);
  if (report !== nullRef) world.store.update('VM_guest_metrics', report, { networks: {}, live: false });
}

/** Like a power cut: the VM's record and what its agent reported stay as they are. */
export async function stopGuest(world: World, vm: string): Promise<void> {
  const guest = world.runningGuests.get(vm);
  world.runningGuests.delete(vm);
  await guest?.stop();
}
