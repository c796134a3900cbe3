import type { Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

/** What a virtual machine's firmware may be told to say of itself, with what it says else (constants.ml). */
const settable: Readonly<Record<string, string>> = {
  'bios-vendor': 'Xen',
  'bios-version': '',
  'system-manufacturer': 'Xen',
  'system-product-name': 'HVM domU',
  'system-version': '',
  'system-serial-number': '',
  'baseboard-manufacturer': '',
  'baseboard-product-name': '',
  'baseboard-version': '',
  'baseboard-serial-number': '',
  'baseboard-asset-tag': '',
  'baseboard-location-in-chassis': '',
  'enclosure-asset-tag': '',
};

/** What the firmware says unless it was told otherwise. */
export const genericBios: Readonly<Record<string, string>> = {
  ...settable,
  'hp-rombios': '',
  'oem-1': 'Xen',
  'oem-2': 'MS_VM_CERT/SHA1/bdbeb6e0a816d43fa6d3fe8aaef04c2bad9d3e3d',
};

/** Characters of one of them. */
const longest = 512;

function assertNotSet({ store }: World, vm: string): void {
  if (Object.keys(store.get('VM', vm).bios_strings).length > 0) throw new XapiError('VM_BIOS_STRINGS_ALREADY_SET');
}

function assertSettable(key: string, text: string): void {
  const invalid = (reason: string) => new XapiError('INVALID_VALUE', key, reason);
  if (!Object.hasOwn(settable, key)) throw invalid('Unknown key');
  if (text === '') throw invalid('Value provided is empty');
  if (Buffer.byteLength(text) > longest) throw invalid(`${text} has length more than ${longest} characters`);
  if (!/^[ -~]*$/.test(text)) throw invalid(`${text} has non-printable ASCII characters`);
}

export const biosStrings: Handlers = {
  'VM.set_bios_strings': ({ world }, vm, value) => {
    assertNotSet(world, vm);
    for (const [key, text] of Object.entries(value)) assertSettable(key, text);
    world.store.update('VM', vm, { bios_strings: { ...genericBios, ...value } });
  },
  'VM.copy_bios_strings': ({ world }, vm, host) => {
    assertNotSet(world, vm);
    world.store.update('VM', vm, { bios_strings: world.store.get('host', host).bios_strings, affinity: host });
  },
};
