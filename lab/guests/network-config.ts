import { z } from 'zod';
import { GuestBootError } from './boot-errors.ts';
import { parseYaml } from './yaml-text.ts';

const ethernet = z.looseObject({
  match: z.looseObject({ macaddress: z.string().optional() }).optional(),
  addresses: z.array(z.string()).default([]),
  dhcp4: z.boolean().default(false),
  gateway4: z.string().optional(),
  routes: z.array(z.looseObject({ to: z.string(), via: z.string() })).default([]),
  nameservers: z.looseObject({ addresses: z.array(z.string()).default([]) }).optional(),
});

const networkVersion2 = z.looseObject({ version: z.literal(2), ethernets: z.record(z.string(), ethernet) });

/** How one interface of the machine is configured. */
export interface InterfaceConfig {
  /** In CIDR notation. */
  readonly addresses: readonly string[];
  readonly dhcp4: boolean;
  readonly routes: readonly { readonly to: string; readonly via: string }[];
  readonly nameservers: readonly string[];
}

/**
 * What network-config version 2 says of the interfaces with these MAC addresses, in their order; undefined for one that it does
 * not speak of. Throws GuestBootError when the file is not understood or leaves every interface without an address.
 */
export function readInterfaces(text: string, macs: readonly string[]): (InterfaceConfig | undefined)[] {
  const entries = Object.entries(parseNetworkConfig(text).ethernets);
  const found = macs.map((mac, index) => {
    const [, entry] = entries.find(([name, candidate]) => isMeant(name, candidate, mac, index)) ?? [];
    return entry === undefined ? undefined : interfaceConfig(entry);
  });
  if (found.some((one) => one !== undefined && (one.dhcp4 || one.addresses.length > 0))) return found;
  throw new GuestBootError(
    `network-config gives no address to an interface of this machine (its MAC addresses: ${macs.join(', ') || 'none'})`,
  );
}

/** Without a MAC address an entry means the interface of its number (`eth1`, `enX1`), or, if it has none, every one. */
function isMeant(name: string, { match }: z.output<typeof ethernet>, mac: string, index: number): boolean {
  if (match?.macaddress !== undefined) return match.macaddress.toLowerCase() === mac.toLowerCase();
  const number = match === undefined ? /\d+$/.exec(name)?.[0] : undefined;
  return number === undefined || Number(number) === index;
}

/** Without their prefix lengths. */
export function staticIpv4({ addresses }: InterfaceConfig): string[] {
  return addresses
    .map((address) => address.split('/')[0] ?? '')
    .filter((address) => z.ipv4().safeParse(address).success);
}

function interfaceConfig(entry: z.output<typeof ethernet>): InterfaceConfig {
  const { addresses, dhcp4, gateway4, routes, nameservers } = entry;
  return {
    addresses,
    dhcp4,
    routes: [...(gateway4 === undefined ? [] : [{ to: 'default', via: gateway4 }]), ...routes],
    nameservers: nameservers?.addresses ?? [],
  };
}

function parseNetworkConfig(text: string): z.output<typeof networkVersion2> {
  let document: unknown;
  try {
    document = parseYaml(text, 'network-config');
  } catch (error) {
    throw new GuestBootError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const wrapped = z.looseObject({ network: z.unknown() }).safeParse(document);
  const result = networkVersion2.safeParse(wrapped.success && wrapped.data.network ? wrapped.data.network : document);
  if (result.success) return result.data;
  throw new GuestBootError(`network-config is not a version 2 configuration: ${z.prettifyError(result.error)}`);
}
