import type { UpdateInfo } from './update-info.ts';
import { plainUpdate } from './update-info.ts';
import type { CdnUpdate, Guidances, Package } from './vendor.ts';

/** What a pool's vendor has for it that its hosts do not have yet. */
export interface Offer {
  /** Files that an operator downloads and uploads: patches up to 7.0, updates from 7.1 to 8.2. */
  readonly files: readonly UpdateInfo[];
  /** The content of the repository that XenServer 8.4 syncs with. */
  readonly cdn: readonly CdnUpdate[];
  /** XCP-ng's. */
  readonly packages: readonly Package[];
}

const mib = 2 ** 20;
const nothing: Offer = { files: [], cdn: [], packages: [] };

const hotfixesOf65: readonly UpdateInfo[] = [
  {
    ...plainUpdate,
    uuid: '6f0a1b52-0000-4650-8001-65e001000001',
    name: 'XS65E001',
    description: 'Security hotfix',
    sizeBytes: 28 * mib,
    guidance: ['restartHost'],
    forVersion: '6.5.0',
  },
  {
    ...plainUpdate,
    uuid: '6f0a1b52-0000-4650-8002-65e002000002',
    name: 'XS65E002',
    description: 'Toolstack hotfix; its precheck prints what is missing instead of failing',
    sizeBytes: 12 * mib,
    guidance: ['restartXAPI'],
    requires: ['6f0a1b52-0000-4650-8001-65e001000001'],
    forVersion: '6.5.0',
    answersXml: true,
  },
  {
    ...plainUpdate,
    uuid: '6f0a1b52-0000-4650-8003-65e003000003',
    name: 'XS65E003',
    description: 'Storage hotfix for hosts without running VMs',
    sizeBytes: 40 * mib,
    guidance: ['restartHost', 'restartHVM'],
    forVersion: '6.5.0',
    needsNoVms: true,
    needsNoIso: true,
  },
];

const updatesFor = (version: string, name: string, serial: string): readonly UpdateInfo[] => [
  {
    ...plainUpdate,
    uuid: `8a3d5c10-${serial}-4a71-9001-a1b2c3d4e5f1`,
    name: `${name}001`,
    description: 'Security hotfix',
    sizeBytes: 60 * mib,
    guidance: ['restartHost'],
    forVersion: version,
    livepatch: 'ok_livepatch_complete',
  },
  {
    ...plainUpdate,
    uuid: `8a3d5c10-${serial}-4a71-9002-a1b2c3d4e5f2`,
    name: `${name}002`,
    description: 'Cumulative hotfix',
    sizeBytes: 220 * mib,
    guidance: ['restartHost', 'restartHVM'],
    requires: [`8a3d5c10-${serial}-4a71-9001-a1b2c3d4e5f1`],
    forVersion: version,
    software: {
      product_version_text: `${version.slice(0, 3)} CU1`,
      product_version_text_short: `${version.slice(0, 3)} CU1`,
    },
  },
  {
    ...plainUpdate,
    uuid: `8a3d5c10-${serial}-4a71-9003-a1b2c3d4e5f3`,
    name: `${name}003`,
    description: 'Toolstack hotfix',
    sizeBytes: 15 * mib,
    guidance: ['restartXAPI'],
    forVersion: version,
  },
];

const noGuidance: Guidances = { mandatory: [], recommended: [], full: [] };

const updatesOf84: readonly CdnUpdate[] = [
  {
    id: 'UPDATE-0001',
    summary: 'Toolstack fixes',
    type: 'bugfix',
    packages: ['xapi-core-25.34.0-1.xs8.x86_64'],
    guidance: { ...noGuidance, mandatory: ['RestartToolstack'], full: ['RestartToolstack'] },
    software: { xapi: '25.34', xapi_build: '25.34.0' },
  },
  {
    id: 'UPDATE-0002',
    summary: 'Hypervisor security fixes',
    type: 'security',
    packages: ['xen-hypervisor-4.17.5-24.xs8.x86_64'],
    guidance: {
      mandatory: ['RebootHost', 'EvacuateHost'],
      recommended: ['RebootHost', 'EvacuateHost'],
      full: ['RebootHost', 'EvacuateHost', 'RestartVM'],
    },
    livepatches: [{ component: 'xen', baseBuildId: 'd1a2b3c4e5f60718', base: '4.17.5-23', to: '4.17.5-24' }],
    software: { xen: '4.17.5-24', build_number: 'lab-2' },
  },
  {
    id: 'UPDATE-0003',
    summary: 'Device model fixes',
    type: 'bugfix',
    packages: ['qemu-4.2.1-5.2.12.xs8.x86_64'],
    guidance: { ...noGuidance, recommended: ['RestartDeviceModel'], full: ['RestartDeviceModel'] },
  },
];

const packagesOf83: readonly Package[] = [
  {
    name: 'xapi-core',
    version: '25.6.0',
    release: '1.12.xcpng8.3',
    description: 'The xapi toolstack',
    changelog: { date: 1_760_000_000, author: 'XCP-ng', description: '- Update' },
    url: 'http://www.xen.org',
    size: 46_137_344,
    license: 'LGPL-2.1-only WITH OCaml-LGPL-linking-exception',
    software: { xapi: '25.6', xapi_build: '25.6.0' },
  },
  {
    name: 'xen-hypervisor',
    version: '4.17.5',
    release: '15.1.xcpng8.3',
    description: 'The Xen hypervisor',
    changelog: null,
    url: 'http://www.xenproject.org',
    size: 5_242_880,
    license: 'GPLv2',
    software: { xen: '4.17.5-15' },
  },
];

const offers: Readonly<Record<string, Partial<Offer>>> = {
  'xenserver-6.5': { files: hotfixesOf65 },
  'xenserver-7.1': { files: updatesFor('7.1.0', 'XS71E', '0071') },
  'xenserver-8.2': { files: updatesFor('8.2.0', 'XS82E', '0082') },
  'xenserver-8.4': { cdn: updatesOf84 },
  'xcp-ng-8.3': { packages: packagesOf83 },
};

/** What there is for a pool that says which product it is; for one that does not, nothing. */
export const offerFor = (product: string | undefined): Offer => ({ ...nothing, ...offers[product ?? ''] });
