import { z } from 'zod';
import { GuestBootError } from './boot-errors.ts';
import { parseYaml } from './yaml-text.ts';

const ethernet = z.looseObject({
  match: z.looseObject({ macaddress: z.string().optional() }).optional(),
  addresses: z.array(z.string()).default([]),
  dhcp4: z.boolean().default(false),
});

const networkVersion2 = z.looseObject({ version: z.literal(2), ethernets: z.record(z.string(), ethernet) });

/**
 * The static IPv4 address that network-config version 2 gives to one of the interfaces with these MAC addresses; undefined when the
 * address comes from DHCP. Throws GuestBootError when the file is not understood or leaves every interface without an address.
 */
export function readStaticAddress(text: string, macs: readonly string[]): string | undefined {
  const { ethernets } = parseNetworkConfig(text);
  const ours = Object.values(ethernets).filter(
    ({ match }) => match?.macaddress === undefined || isOneOf(match.macaddress, macs),
  );
  const addresses = ours.flatMap((entry) => entry.addresses).map((address) => address.split('/')[0] ?? '');
  const address = addresses.find((candidate) => z.ipv4().safeParse(candidate).success);
  if (address === undefined && !ours.some((entry) => entry.dhcp4)) {
    throw new GuestBootError(
      `network-config gives no address to an interface of this machine (its MAC addresses: ${macs.join(', ') || 'none'})`,
    );
  }
  return address;
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

function isOneOf(mac: string, macs: readonly string[]): boolean {
  return macs.some((candidate) => candidate.toLowerCase() === mac.toLowerCase());
}
