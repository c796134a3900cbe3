import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();

describe('the world’s diff', () => {
  it('is empty after a VM was made, started, stopped and removed with its disks', async () => {
    const before = lab().snapshot();
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    await client().call('VM.hard_shutdown', vm);
    const [vbd] = await client().call<string[]>('VM.get_VBDs', vm);
    const vdi = await client().call('VBD.get_VDI', vbd);
    await client().call('VM.destroy', vm);
    await client().call('VDI.destroy', vdi);
    expect(lab().diff(before)).toEqual([]);
  });

  it('names what a removal left behind', async () => {
    const before = lab().snapshot();
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.destroy', vm);
    const left = lab().diff(before);
    expect(left.map(({ cls, change, name }) => [cls, change, name])).toEqual([
      ['SR', 'changed', 'shared'],
      ['VDI', 'added', 'debian-12 boot disk'],
    ]);
    expect(Object.keys(left[0]?.fields ?? {}).sort()).toEqual(['VDIs', 'virtual_allocation']);
  });

  it('tells a changed field with both values, and a removed object', async () => {
    const host = await byName(client(), 'host', 'ams1-h1');
    const before = lab().snapshot();
    await client().call('host.disable', host);
    await client().call('VM.destroy', await byName(client(), 'VM', 'debian-12'));
    const changes = lab().diff(before);
    expect(changes).toContainEqual(
      expect.objectContaining({
        cls: 'host',
        ref: host,
        change: 'changed',
        fields: expect.objectContaining({ enabled: { before: true, after: false } }),
      }),
    );
    expect(changes).toContainEqual(expect.objectContaining({ cls: 'VM', name: 'debian-12', change: 'removed' }));
  });

  it('ignores sessions, alerts and tasks that have ended, but not a task that still runs', async () => {
    const template = await byName(client(), 'VM', 'debian-12');
    const before = lab().snapshot();
    await client().call('message.create', 'X', 5, 'VM', await client().call('VM.get_uuid', template), 'text');
    await client().task(await client().call('Async.VM.update_allowed_operations', template));
    expect(lab().diff(before)).toEqual([]);
    await client().call('task.create', 'forgotten', '');
    expect(
      lab()
        .diff(before)
        .map(({ cls, name }) => [cls, name]),
    ).toEqual([['task', 'forgotten']]);
  });

  it('is not disturbed by changes after the snapshot was taken', async () => {
    const vm = await byName(client(), 'VM', 'debian-12');
    const before = lab().snapshot();
    await client().call('VM.set_name_description', vm, 'one');
    await client().call('VM.set_name_description', vm, 'Debian 12 cloud image');
    expect(lab().diff(before)).toEqual([]);
  });
});
