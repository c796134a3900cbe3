import type { InterfaceConfig } from '../guests/network-config.ts';
import type { GuestVif } from '../world/guests.ts';

/** The image's default, with which Debian's cloud image comes. */
const byDhcp: InterfaceConfig = { addresses: [], dhcp4: true, routes: [], nameservers: [] };

/** One interface of a guest and how it gets its addresses. */
export interface Interface {
  readonly vif: GuestVif;
  readonly config: InterfaceConfig;
}

/** An interface that network-config does not speak of stays down, as under netplan; without one all ask by DHCP. */
export function planInterfaces(
  vifs: readonly GuestVif[],
  configs: readonly (InterfaceConfig | undefined)[],
): Interface[] {
  return vifs.flatMap((vif, index) => {
    const config = configs.length === 0 ? byDhcp : configs[index];
    return config === undefined ? [] : [{ vif, config }];
  });
}

/**
 * The script that brings an interface up.
 * @param leased the address that the lab gives, where it is the lab that answers DHCP
 */
export function interfaceScript({ vif, config }: Interface, hostname: string, leased: readonly string[]): string {
  const device = `eth${vif.device}`;
  const own = vif.isolated ? config.addresses : leased.map((address) => `${address}/32`);
  const asks = vif.isolated && config.dhcp4;
  return [
    `ip link set ${device} up`,
    ...own.map((address) => `ip address replace '${address}' dev ${device}`),
    ...config.routes.map(({ to, via }) => `ip route replace '${to}' via '${via}' dev ${device}`),
    ...config.nameservers.map((address) => `echo 'nameserver ${address}' >>/etc/resolv.conf`),
    ...(asks
      ? [
          `udhcpc -b -t 3 -T 1 -A 1 -i ${device} -p /run/udhcpc.${device}.pid -x 'hostname:${hostname}' ` +
            '</dev/null >/run/console 2>&1 &',
        ]
      : []),
  ].join('\n');
}
