import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { RawClient } from '../raw-client.ts';
import { byName } from '../with-lab.ts';

let lab: Lab;
let client: RawClient;
let vm: string;
let record: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  lab = await startLab({ pools: [poolOf('xapi-25.33.1')] });
  client = await RawClient.login(lab);
  const template = await client.call<object>('VM.get_record', await byName(client, 'VM', 'debian-12'));
  record = { ...template, is_a_template: false, other_config: {} };
  vm = await client.call('VM.create', record);
});
afterAll(() => lab.close());

const without = (name: string) => Object.fromEntries(Object.entries(record).filter(([field]) => field !== name));

describe('VM.create', () => {
  it.each([
    'user_version',
    'memory_static_max',
    'actions_after_crash',
    'other_config',
    'recommendations',
    'PV_legacy_args',
    'HVM_boot_policy',
    'is_a_template',
    'affinity',
    'PCI_bus',
  ])('wants the field %s', async (name) => {
    const missing = ['INTERNAL_ERROR', `Server_helpers.Dispatcher_FieldNotFound("${name}")`];
    expect(await client.refusal('VM.create', without(name))).toEqual(missing);
    expect(await client.refusal('Async.VM.create', without(name))).toEqual(missing);
  });

  it('names user_version first when nothing is given', async () => {
    const missing = ['INTERNAL_ERROR', 'Server_helpers.Dispatcher_FieldNotFound("user_version")'];
    expect(await client.refusal('VM.create', {})).toEqual(missing);
    expect(await client.refusal('VM.create', 'x')).toEqual(['INTERNAL_ERROR', 'Failure("bad __structure")']);
  });

  it.each([
    ['no virtual CPU at most', { VCPUs_max: 0 }],
    ['more virtual CPUs at startup than at most', { VCPUs_at_startup: 9 }],
    ['a least memory above the most', { memory_static_min: '999999999999' }],
    ['an affinity that is gone', { affinity: 'OpaqueRef:gone' }],
    ['a field that there is not', { nosuch: 'x' }],
  ])('takes %s', async (_what, odd) => {
    const made = await client.call('VM.create', { ...without('name_label'), ...odd });
    expect(await client.call('VM.get_other_config', made)).toEqual({ mac_seed: expect.any(String) });
  });
});

describe('text with a control character', () => {
  const invalid = ['INTERNAL_ERROR', 'Db_exn.Invalid_value'];

  it('cannot be kept by any field, as value or as key', async () => {
    expect(await client.refusal('VM.set_name_label', vm, 'a\u0001')).toEqual(invalid);
    expect(await client.refusal('VM.add_to_other_config', vm, '\u0000', 'x')).toEqual(invalid);
    expect(await client.refusal('VM.set_tags', vm, ['a', '\u001f'])).toEqual(invalid);
    expect(await client.refusal('VM.create', { ...record, name_label: '\u0002' })).toEqual(invalid);
    expect(await client.call('VM.get_name_label', vm)).toBe('debian-12');
  });

  it('is no reason to refuse before the reference is', async () => {
    const unknown = ['HANDLE_INVALID', 'VM', 'OpaqueRef:1'];
    expect(await client.refusal('VM.set_name_label', 'OpaqueRef:1', '\u0001')).toEqual(unknown);
  });

  it('can be tabs, line feeds and carriage returns', async () => {
    await client.call('VM.set_name_description', vm, '\ta\r\nb');
    expect(await client.call('VM.get_name_description', vm)).toBe('\ta\r\nb');
  });
});
