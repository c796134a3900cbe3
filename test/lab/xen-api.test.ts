import { describe, expect, it } from '@jest/globals';
import { connectXenApi, leave } from './full-xen-api.ts';
import { freshLab } from './with-lab.ts';

const { lab } = freshLab();

describe('the unmodified npm xen-api', () => {
  it('deploys a VM without watching events', async () => {
    const xapi = await connectXenApi(lab(), false);
    const [template] = await xapi.call<string[]>('VM.get_by_name_label', 'debian-12');
    const vm = await xapi.call<string>('VM.clone', template, 'web-1');
    await xapi.call('VM.provision', vm);
    await xapi.call('VM.start', vm, false, false);
    expect(await xapi.call('VM.get_power_state', vm)).toBe('Running');
    await leave(lab(), xapi);
  });

  it('fills its cache from events and waits for tasks by them', async () => {
    const xapi = await connectXenApi(lab(), true);
    await xapi.objectsFetched;
    const named = (type: string) => Object.values(xapi.objects.all).filter(({ $type }) => $type === type);
    expect(named('host')).toHaveLength(3);
    const template = named('VM').find(({ name_label: name }) => name === 'debian-12');
    const [ref] = await xapi.call<string[]>('VM.get_by_name_label', 'debian-12');
    expect(template?.$id).toBe(await xapi.call('VM.get_uuid', ref));
    const vm = await xapi.callAsync<string>('VM.clone', ref, 'web-1');
    expect(vm).toMatch(/^OpaqueRef:/);
    expect(await xapi.callAsync('VM.provision', vm)).toBe('');
    expect(await xapi.call('task.get_all')).toEqual([]);
    await leave(lab(), xapi);
  });

  it('throws what a task failed with', async () => {
    const xapi = await connectXenApi(lab(), true);
    await xapi.objectsFetched;
    const [ref] = await xapi.call<string[]>('VM.get_by_name_label', 'debian-12');
    await expect(xapi.callAsync('VM.start', ref, false, false)).rejects.toMatchObject({
      code: 'VM_IS_TEMPLATE',
      params: [ref, 'start'],
    });
    await leave(lab(), xapi);
  });

  it('follows a member to the coordinator', async () => {
    const xapi = await connectXenApi(lab(), false, lab().pools[0]?.hostAddresses[2]);
    expect(await xapi.call<string[]>('host.get_all')).toHaveLength(3);
    await leave(lab(), xapi);
  });
});
