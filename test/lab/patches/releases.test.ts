import { afterEach, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { productNamed } from '../../../lab/products.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { connectXenApi, leave } from '../full-xen-api.ts';
import { post } from '../raw-client.ts';
import { freshProduct } from './product-lab.ts';

const everyProduct = ['xenserver-6.5', 'xenserver-7.1', 'xenserver-8.2', 'xenserver-8.4', 'xcp-ng-8.3', 'xapi-25.33.1'];

describe.each(everyProduct)('a pool of %s', (name) => {
  let lab: Lab | undefined;
  afterEach(() => lab?.close());

  it('takes the unmodified npm xen-api, which lists its hosts and VMs from events', async () => {
    lab = await startLab({ pools: [poolOf(name)] });
    const xapi = await connectXenApi(lab, true);
    await xapi.objectsFetched;
    const named = (type: string) => Object.values(xapi.objects.all).filter(({ $type }) => $type === type);
    expect(named('host').map(({ name_label: host }) => host)).toEqual(
      expect.arrayContaining([`${name}-h1`, `${name}-h2`, `${name}-h3`]),
    );
    expect(named('VM').map(({ name_label: vm }) => vm)).toContain('debian-12');
    await leave(lab, xapi);
  });

  it('shows records with exactly the fields that its release has', async () => {
    lab = await startLab({ pools: [poolOf(name)] });
    const xapi = await connectXenApi(lab, false);
    const { model, softwareVersion, apiVersion } = productNamed(name);
    for (const cls of ['VM', 'host', 'pool', 'SR', 'VDI'] as const) {
      const records = Object.values(await xapi.call<Record<string, object>>(`${cls}.get_all_records`));
      const fields = model.classes.get(cls)?.fields.map((field) => field.name);
      for (const record of records) expect(Object.keys(record)).toEqual(fields);
    }
    const [host] = await xapi.call<string[]>('host.get_all');
    expect(await xapi.call('host.get_software_version', host)).toEqual(softwareVersion);
    expect(Number(await xapi.call('host.get_API_version_minor', host))).toBe(apiVersion[1]);
    await leave(lab, xapi);
  });

  it('lists its messages without a session, and has every one that it lists', async () => {
    lab = await startLab({ pools: [poolOf(name)] });
    const xapi = await connectXenApi(lab, false);
    const listed = await xapi.call<string[]>('system.listMethods');
    const published = [...productNamed(name).model.classes.values()].flatMap(({ messages }) => messages);
    expect(listed).toEqual(expect.arrayContaining(published.map((message) => message.fullName)));
    expect(new Set(listed).size).toBe(listed.length);
    await leave(lab, xapi);
  });
});

describe('XenServer 6.5', () => {
  const { lab, call, refusal } = freshProduct(poolOf('xenserver-6.5'));

  it.each([
    'pool_update.get_all',
    'Repository.get_all',
    'VM_group.get_all_records',
    'VM.set_memory',
    'pool.sync_updates',
  ])('does not know %s, which came later', async (method) => {
    expect(await refusal(method)).toEqual(['MESSAGE_METHOD_UNKNOWN', method]);
  });

  it('takes the parameters of its age only', async () => {
    const [host] = await call<string[]>('host.get_all');
    expect(await refusal('host.evacuate', host, 'OpaqueRef:NULL')).toEqual([
      ...['MESSAGE_PARAMETER_COUNT_MISMATCH', 'host.evacuate', '1', '2'],
    ]);
    expect(await refusal('host.disable', host, true)).toEqual([
      ...['MESSAGE_PARAMETER_COUNT_MISMATCH', 'host.disable', '1', '2'],
    ]);
    expect(await call('host.disable', host)).toBe('');
  });

  it('still has what later releases removed, and says so of what was gone before', async () => {
    const methods = await call<string[]>('system.listMethods');
    expect(methods).toContain('host.set_cpu_features');
    expect(await refusal('VBD_metrics.get_all_records')).toEqual(['MESSAGE_REMOVED']);
    expect(await refusal('host.set_cpu_features', 'OpaqueRef:NULL', '')).not.toEqual(['MESSAGE_REMOVED']);
  });

  it('lists no operation that came with a later message', async () => {
    const [template] = await call<string[]>('VM.get_by_name_label', 'debian-12');
    const allowed = await call<string[]>('VM.get_allowed_operations', template);
    expect(allowed).toContain('clone');
    expect(allowed).not.toContain('changing_NVRAM');
  });

  it('speaks no JSON-RPC: it answers text/xml, whatever is asked', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'host.get_all', params: [], id: 1 });
    const answer = await post(lab().pools[0]?.url ?? '', body);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/xml');
    expect(answer.text).toContain('INTERNAL_ERROR');
  });

  it('reports no events of classes that it does not have', async () => {
    lab().world.store.create('VM_group', { name_label: 'unknown here' });
    const { events, valid_ref_counts: counts } = await call<{
      events: { class: string }[];
      valid_ref_counts: Record<string, unknown>;
    }>('event.from', ['*'], '', 0);
    expect(events.map((event) => event.class)).not.toContain('vm_group');
    expect(Object.keys(counts)).toContain('vm');
    expect(Object.keys(counts)).not.toContain('vm_group');
  });

  it('creates a VM from a record of its age', async () => {
    const [template] = await call<string[]>('VM.get_by_name_label', 'debian-12');
    const record = await call<Record<string, unknown>>('VM.get_record', template);
    const vm = await call('VM.create', { ...record, name_label: 'old', is_a_template: false });
    expect(await call('VM.get_name_label', vm)).toBe('old');
  });
});

describe('XenServer 7.1', () => {
  const { lab, call, refusal } = freshProduct(poolOf('xenserver-7.1'));

  it('answers JSON-RPC 2 as if it was 1, as every host before 7.3 did', async () => {
    const { url = '', user, password } = lab().pools[0] ?? {};
    const body = { jsonrpc: '2.0', method: 'session.login_with_password', params: [user, password], id: 7 };
    const { text } = await post(url, JSON.stringify(body));
    expect(JSON.parse(text)).toMatchObject({ error: null, id: 7 });
    expect(text).not.toContain('jsonrpc');
  });

  it('has pool_update and what deprecates it, but no repositories and no clusters', async () => {
    expect(await call('pool_update.get_all')).toEqual([]);
    expect(await call('pool_patch.get_all')).toEqual([]);
    expect(await refusal('Repository.get_all')).toEqual(['MESSAGE_METHOD_UNKNOWN', 'Repository.get_all']);
    expect(await refusal('Cluster.get_all')).toEqual(['MESSAGE_METHOD_UNKNOWN', 'Cluster.get_all']);
  });
});

describe('the releases in between', () => {
  const { call, refusal } = freshProduct(poolOf('xcp-ng-8.3'));

  it('XCP-ng 8.3 has VM groups and batches of evacuation, but no hosts that stay disabled over a reboot', async () => {
    const [host] = await call<string[]>('host.get_all');
    expect(await call('VM_group.get_all')).toEqual([]);
    expect(await refusal('host.disable', host, true)).toEqual([
      ...['MESSAGE_PARAMETER_COUNT_MISMATCH', 'host.disable', '1', '2'],
    ]);
    expect(await refusal('Host_driver.get_all')).toEqual(['MESSAGE_METHOD_UNKNOWN', 'Host_driver.get_all']);
  });

  it('a product that nobody knows is refused before anything starts', async () => {
    await expect(startLab({ pools: [poolOf('xenserver-3')] })).rejects.toThrow(
      'no product xenserver-3; there are xenserver-6.5',
    );
  });
});
