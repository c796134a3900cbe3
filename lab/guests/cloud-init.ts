import { z } from 'zod';
import { GuestBootError } from './boot-errors.ts';
import { readConfigDrive } from './config-drive.ts';
import { readInterfaces, type InterfaceConfig } from './network-config.ts';
import { readUserData, type UserData } from './user-data.ts';
import { parseYaml } from './yaml-text.ts';

/** The user of Debian's cloud image, which gets the top-level ssh_authorized_keys. */
const defaultUser = 'debian';

export interface GuestConfig extends UserData {
  readonly hostname: string;
  /** Another one than at the last boot: the machine is new, and cloud-init configures it. */
  readonly instanceId: string;
  /** Per interface; undefined: as the image has it, by DHCP. */
  readonly interfaces: readonly (InterfaceConfig | undefined)[];
}

const metaDataShape = z.looseObject({
  'instance-id': z.string().optional(),
  'local-hostname': z.string().optional(),
});

/**
 * What a machine makes of its config drive, by cloud-init's rules. Without a drive it boots as its image is: nobody can log in.
 * Throws GuestBootError when the machine would not come up with a network.
 */
export function configureGuest(
  drive: Buffer | undefined,
  macs: readonly string[],
  log: (line: string) => void,
): GuestConfig {
  if (!drive) {
    log('cloud-init: no config drive; the machine keeps the defaults of its image');
    return { ...readUserData('', defaultUser, log), hostname: 'localhost', instanceId: 'none', interfaces: [] };
  }
  const { volumeKind, metaData, userData, networkConfig } = readConfigDrive(drive);
  const { 'instance-id': instanceId = 'nocloud', 'local-hostname': localHostname } = readMetaData(metaData);
  log(`cloud-init: instance ${instanceId} configured from a ${volumeKind} drive`);
  const asked = readUserData(userData, defaultUser, log);
  return {
    ...asked,
    hostname: asked.hostname ?? localHostname ?? 'localhost',
    instanceId,
    interfaces: networkConfig === undefined ? [] : readInterfaces(networkConfig, macs),
  };
}

function readMetaData(text: string): z.output<typeof metaDataShape> {
  try {
    return metaDataShape.parse(parseYaml(text, 'meta-data') ?? {});
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new GuestBootError(`meta-data cannot be used: ${reason}`, { cause: error });
  }
}
