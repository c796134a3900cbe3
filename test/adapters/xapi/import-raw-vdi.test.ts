import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Xapi } from '../../../adapters/xapi/xapi.ts';
import { startLab, type Lab } from '../../../lab/lab.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import { Memory, OpenPools, settingsOf } from './support.ts';

const MARK = 'switchboard of-the-test attachConfigDrive';
const SIZE_BYTES = 4 * 2 ** 20;
const content = Buffer.alloc(SIZE_BYTES, 'cidata');
const pools = new OpenPools();
let lab: Lab;
let xapi: Xapi;

beforeAll(async () => {
  const pool = defaultPool();
  const local = { name: 'local-h2', sizeBytes: 200 * 2 ** 30, hosts: ['ams1-h2'] };
  lab = await startLab({ pools: [{ ...pool, srs: [...pool.srs, local] }] });
});

beforeEach(() => {
  xapi = pools.of(settingsOf(lab));
});

afterEach(async () => {
  lab.clearFaults();
  await pools.close();
});

afterAll(() => lab.close());

async function newVdi(srName = 'shared'): Promise<string> {
  const [sr = ''] = await xapi.call('SR.get_by_name_label', srName);
  return xapi.call('VDI.create', {
    name_label: 'config drive',
    SR: sr,
    virtual_size: SIZE_BYTES,
    type: 'user',
    sharable: false,
    read_only: false,
    other_config: {},
  });
}

/** What the pool has on the disk. */
async function contentOf(vdi: string): Promise<Buffer> {
  const { url = '', user = '', password = '' } = lab.pools[0] ?? {};
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const answer = await fetch(new URL(`/export_raw_vdi?vdi=${vdi}&format=raw`, url), { headers: { authorization } });
  return Buffer.from(await answer.arrayBuffer());
}

/** Tasks of uploads that are still on the pool; reading a disk makes one of its own. */
async function uploadTasks(): Promise<string[]> {
  const tasks = Object.values(await xapi.call('task.get_all_records'));
  return tasks.map((task) => task.name_label).filter((name) => name.includes('import_raw_vdi'));
}

function uploads(): number {
  return lab.calls({ method: 'PUT /import_raw_vdi' }).length;
}

describe('an upload to a disk', () => {
  it('arrives byte for byte and leaves no task behind', async () => {
    const vdi = await newVdi();
    const memory = new Memory();
    await xapi.importRawVdi(memory, MARK, vdi, content);
    expect((await contentOf(vdi)).equals(content)).toBe(true);
    expect(memory.told).toEqual([`remember ${await memory.known}`, 'forget']);
    await expect(uploadTasks()).resolves.toEqual([]);
  });

  it('goes on to the host that has the storage', async () => {
    const vdi = await newVdi('local-h2');
    await xapi.importRawVdi(new Memory(), MARK, vdi, content);
    expect(lab.calls({ method: 'PUT /import_raw_vdi' }).at(-1)).toMatchObject({ host: 'ams1-h2', outcome: 'ok' });
  });

  it('is ambiguous when its connection is cut, and is made again', async () => {
    const vdi = await newVdi();
    const memory = new Memory();
    const cut = lab.plan({ method: 'PUT /import_raw_vdi', kind: 'cut' });
    await expect(xapi.importRawVdi(memory, MARK, vdi, content)).rejects.toMatchObject({ code: 'POOL_UNREACHABLE' });
    expect(cut.fired).toBe(1);
    await xapi.importRawVdi(memory, MARK, vdi, content);
    expect((await contentOf(vdi)).equals(content)).toBe(true);
    await expect(uploadTasks()).resolves.toEqual([]);
  });

  it('is not made again when only its answer was lost', async () => {
    const vdi = await newVdi();
    const memory = new Memory();
    lab.plan({ method: 'PUT /import_raw_vdi', kind: 'reply-lost' });
    await expect(xapi.importRawVdi(memory, MARK, vdi, content)).rejects.toMatchObject({ code: 'POOL_UNREACHABLE' });
    const before = uploads();
    await xapi.importRawVdi(memory, MARK, vdi, content);
    expect(uploads()).toBe(before);
    expect((await contentOf(vdi)).equals(content)).toBe(true);
  });

  it('fails with the error of its task', async () => {
    const vdi = await newVdi();
    const memory = new Memory();
    lab.plan({ method: 'PUT /import_raw_vdi', kind: 'refused', error: ['VDI_IO_ERROR'] });
    const failure = { code: 'POOL_ERROR', details: { object: `VDI ${vdi}`, native: { code: 'VDI_IO_ERROR' } } };
    await expect(xapi.importRawVdi(memory, MARK, vdi, content)).rejects.toMatchObject(failure);
    expect(memory.taskRef).toBeUndefined();
  });

  it('to a disk that does not exist fails', async () => {
    const uploading = xapi.importRawVdi(new Memory(), MARK, 'OpaqueRef:none', content);
    await expect(uploading).rejects.toMatchObject({ details: { object: 'VDI OpaqueRef:none' } });
  });

  it('ends with the reason of the abort, and leaves no task behind that nobody would end', async () => {
    const vdi = await newVdi();
    const memory = new Memory();
    const held = lab.hold({ method: 'PUT /import_raw_vdi', at: 'before-effect' });
    const uploading = xapi.importRawVdi(memory, MARK, vdi, content);
    await held.reached;
    memory.abort(new Error('run cancelled'));
    await expect(uploading).rejects.toThrow('run cancelled');
    expect(memory.taskRef).toBeUndefined();
    const tasks = [...lab.world.store.entries('task')].map(({ record }) => record);
    expect(tasks.filter((task) => task.status === 'pending')).toEqual([]);
    held.release();
  });

  it('that never began is found by its mark and ended, and those of others are let be', async () => {
    const ours = await xapi.call('task.create', 'Switchboard import_raw_vdi', MARK);
    const others = [
      await xapi.call('task.create', 'Switchboard import_raw_vdi', 'switchboard of-another attachConfigDrive'),
      await xapi.call('task.create', 'Backup of a person', MARK),
    ];
    await xapi.dropImports(MARK);
    const left = Object.keys(await xapi.call('task.get_all_records'));
    expect(left).not.toContain(ours);
    expect(left).toEqual(expect.arrayContaining(others));
    for (const task of others) await xapi.call('task.destroy', task);
  });
});
