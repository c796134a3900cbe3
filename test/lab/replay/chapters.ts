import type { RecordValue } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { inArchive, inDump } from './files.ts';
import type { Exchange } from './recording.ts';
import type { SeenObject } from './seed.ts';
import { cutObject, cutRecord } from './seed.ts';

import {
  base,
  controlDomain,
  cut,
  filled,
  filler,
  from,
  host,
  memberOf,
  patched,
  secondHost,
  unseen,
  vmRefs,
} from './objects.ts';

/** A stretch of the recording that is replayed against one lab. */
export interface Chapter {
  readonly name: string;
  readonly groups: readonly string[];
  /** Which of the hosts is asked. */
  readonly host: number;
  /** Sessions that were opened before. */
  readonly sessions: readonly string[];
  /** How many more there were, of others. */
  readonly otherSessions?: number;
  /** The world at the beginning, as far as the answers show it. */
  objects(recorded: ReadonlyMap<number, Exchange>): SeenObject[];
}

const plainVm = '43f3f197';

export const chapters: readonly Chapter[] = [
  {
    name: 'first steps',
    groups: ['login', 'session', 'protocol-xmlrpc', 'protocol-jsonrpc', 'setup'],
    host: 0,
    sessions: [],
    objects: (recorded) => [
      ...base(recorded),
      ...from(recorded, 158).filter(({ record }) => record['bridge'] === 'xenapi'),
    ],
  },
  {
    name: 'fields',
    groups: ['fields'],
    host: 0,
    sessions: ['ed00eecc'],
    objects: (recorded) => [
      ...base(recorded),
      ...patched(from(recorded, 380), plainVm, {
        other_config: { mac_seed: '3fdbc2bc-0637-dc9c-8bb7-3d949100452b' },
        tags: [],
        HVM_shadow_multiplier: 1,
        VCPUs_max: 2,
      }),
    ],
  },
  {
    name: 'events',
    groups: ['events-basic'],
    host: 0,
    sessions: ['480b2205'],
    otherSessions: 13,
    objects: (recorded) => {
      const shown = from(recorded, 369, 387, 388).filter(
        (object, at, all) => all.findIndex(({ ref }) => ref === object.ref) === at,
      );
      const own = base(recorded).filter(({ cls }) => cls !== 'pool');
      const [tasks, others] = [shown.filter(({ cls }) => cls === 'task'), shown.filter(({ cls }) => cls !== 'task')];
      const known = [...tasks, ...own, ...others, ...cut(recorded, 378, 'VM')];
      const last = from(recorded, 380);
      return [...filled([...known, ...last], recorded.get(368)).filter((object) => !last.includes(object)), ...last];
    },
  },
  {
    name: 'life of a VM',
    groups: ['provision3', 'lifecycle3', 'tasks3'],
    host: 0,
    sessions: ['e91a5ee6'],
    objects: (recorded) => lifeOfVm(recorded),
  },
  {
    name: 'handlers',
    groups: ['http-handlers'],
    host: 0,
    sessions: ['a49d4f85'],
    objects: (recorded) => exportedVm(recorded),
  },
  {
    name: 'a member of a pool',
    groups: ['pool-member'],
    host: 1,
    sessions: ['0e581b7d'],
    objects: (recorded) => [
      ...base(recorded),
      ...secondHost(recorded, memberOf(recorded.get(1246))),
      ...vmRefs(recorded.get(1245))
        .filter((ref) => ref !== controlDomain)
        .map((ref) => unseen('VM', ref)),
    ],
  },
  {
    name: 'long headers',
    groups: ['header-limit'],
    host: 0,
    sessions: ['eb99873d'],
    objects: (recorded) => [...base(recorded), ...secondHost(recorded, memberOf(recorded.get(1417)))],
  },
];

/** What the host's record had come to by then. */
function hostAsSeen(exchange: Exchange | undefined): RecordValue {
  const record = exchange === undefined ? {} : cutRecord('host', cutObject(exchange).fields);
  const { resident_VMs: _residents, current_operations: _operations, ...rest } = record;
  return rest;
}

/** The VM as its own export describes it, and what the dump of the database shows. */
function exportedVm(recorded: ReadonlyMap<number, Exchange>): SeenObject[] {
  const [archive, dump] = [recorded.get(1077), recorded.get(1083)];
  if (archive === undefined || dump === undefined) return [];
  const rows = inDump(dump);
  const [vm = ''] = /OpaqueRef:3fa7ede8[0-9a-f-]+/.exec(recorded.get(1076)?.sent ?? '') ?? [];
  const sr = asText(rows.find(({ cls }) => cls === 'PBD')?.record['SR']);
  const refs = new Map([
    ['VM', vm],
    ['SR', sr],
  ]);
  const exported = inArchive(archive, (cls) => refs.get(cls) ?? filler(cls).ref);
  return [...base(recorded), ...rows, ...exported];
}

function lifeOfVm(recorded: ReadonlyMap<number, Exchange>): SeenObject[] {
  const srRef = vmRefs(recorded.get(821)).find((ref) => ref.startsWith('OpaqueRef:e9f62a38')) ?? '';
  const srUuid = /sr=(?:"|&quot;)([0-9a-f-]{36})/.exec(recorded.get(816)?.sent ?? '')?.[1] ?? '';
  const vdis = [...from(recorded, 821), ...cut(recorded, 821, 'VDI')].filter(({ ref }) => !ref.includes('e0943c71'));
  const vbds = from(recorded, 820).filter(({ ref }) => !ref.includes('ea7bc5de'));
  const vms = [...new Set(vbds.map(({ record }) => asText(record['VM'])))];
  const attached = { SR: srRef, host, currently_attached: true };
  const pbd = filler('PBD', attached);
  return [
    ...patched(base(recorded), host.slice(10), hostAsSeen(recorded.get(841))),
    ...from(recorded, 158).map((object) => ({ ...object, record: { ...object.record, PIFs: [] } })),
    unseen('SR', srRef, {
      uuid: srUuid,
      name_label: 'Local storage',
      physical_size: 1_099_511_627_776,
      PBDs: [pbd.ref],
      VDIs: vdis.map(({ ref }) => ref),
    }),
    pbd,
    ...vms.map((ref) =>
      unseen('VM', ref, { VBDs: vbds.filter(({ record }) => record['VM'] === ref).map((vbd) => vbd.ref) }),
    ),
    ...vdis,
    ...vbds,
    ...from(recorded, 853),
    ...from(recorded, 838),
    ...cut(recorded, 838, 'message'),
  ];
}
