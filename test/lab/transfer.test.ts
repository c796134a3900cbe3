import { request } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { byName, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();
const mib = 2 ** 20;

async function createDisk(sr: string, bytes: number): Promise<string> {
  const about = { name_label: 'drive', type: 'user', sharable: false, read_only: false, other_config: {} };
  return client().call('VDI.create', { SR: await byName(client(), 'SR', sr), virtual_size: bytes, ...about });
}

interface Sent {
  readonly status: number;
  readonly location: string | null;
  readonly taskId: string | null;
}

async function upload(vdi: string, content: Buffer, query: string, host = 0): Promise<Sent> {
  const [pool] = lab().pools;
  const url = `http://${pool?.hostAddresses[host]}:${pool?.port}/import_raw_vdi?vdi=${vdi}&format=raw${query}`;
  const response = await fetch(url, { method: 'PUT', body: content, redirect: 'manual' });
  await response.arrayBuffer();
  return {
    status: response.status,
    location: response.headers.get('location'),
    taskId: response.headers.get('task-id'),
  };
}

const session = () => `&session_id=${client().session}`;
const content = Buffer.from('the content of a drive'.repeat(1000));

describe('PUT /import_raw_vdi', () => {
  it('writes the disk and ends the task that it was given', async () => {
    const vdi = await createDisk('shared', mib);
    const task = await client().call('task.create', 'upload', '');
    expect(await upload(vdi, content, `${session()}&task_id=${task}`)).toEqual({
      status: 200,
      location: null,
      taskId: task,
    });
    expect(await client().task(task)).toMatchObject({ status: 'success' });
    const response = await fetch(`${client().url}/export_raw_vdi?vdi=${vdi}&format=raw${session()}`);
    const disk = Buffer.from(await response.arrayBuffer());
    expect(disk.length).toBe(mib);
    expect(disk.subarray(0, content.length).equals(content)).toBe(true);
    expect(disk.subarray(content.length).every((byte) => byte === 0)).toBe(true);
  });

  it('takes the uuid for the reference, and makes a task when it is given none', async () => {
    const vdi = await createDisk('shared', mib);
    const { status, taskId } = await upload(await client().call('VDI.get_uuid', vdi), content, session());
    expect(status).toBe(200);
    expect(await client().task(taskId ?? '')).toMatchObject({ status: 'success' });
  });

  it('begins with 200 even if the content does not fit: only the task tells', async () => {
    const vdi = await createDisk('shared', 100);
    const { status, taskId } = await upload(vdi, content, session());
    expect(status).toBe(200);
    expect(await client().task(taskId ?? '')).toMatchObject({
      status: 'failure',
      error_info: ['VDI_IO_ERROR', 'Device I/O errors'],
    });
  });

  it('wants credentials', async () => {
    const vdi = await createDisk('shared', mib);
    expect(await upload(vdi, content, '&session_id=OpaqueRef:1')).toMatchObject({ status: 401 });
    expect(await upload(vdi, content, '')).toMatchObject({ status: 401 });
  });

  it('wants to know the length', async () => {
    const vdi = await createDisk('shared', mib);
    const status = await new Promise((resolve, reject) => {
      const req = request(`${client().url}/import_raw_vdi?vdi=${vdi}${session()}`, { method: 'PUT' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      req.on('error', reject);
      req.write('chunked');
      req.end();
    });
    expect(status).toBe(500);
  });

  it('sends the caller to the host that has the storage', async () => {
    const vdi = await createDisk('local-h1', mib);
    const [pool] = lab().pools;
    const { status, location } = await upload(vdi, content, session(), 1);
    expect(status).toBe(302);
    expect(location).toContain(`http://${pool?.hostAddresses[0]}:${pool?.port}/import_raw_vdi?vdi=${vdi}`);
    expect(await upload(vdi, content, session(), 0)).toMatchObject({ status: 200 });
  });

  it('can be cut before anything is written, or after, and is in the call log', async () => {
    const [before, after] = [await createDisk('shared', mib), await createDisk('shared', mib)];
    lab().plan({ method: 'PUT /import_raw_vdi', object: before, kind: 'cut' });
    lab().plan({ method: 'PUT /import_raw_vdi', object: after, kind: 'reply-lost' });
    await expect(upload(before, content, session())).rejects.toThrow('fetch failed');
    await expect(upload(after, content, session())).rejects.toThrow('fetch failed');
    const log = lab().calls({ method: 'PUT /import_raw_vdi' });
    expect(log.map(({ outcome, cut, mutating }) => [outcome, cut, mutating])).toEqual([
      ['dropped', true, true],
      ['ok', true, true],
    ]);
    expect(JSON.stringify(log)).not.toContain(client().session);
    expect([lab().world.contents.has(before), lab().world.contents.has(after)]).toEqual([false, true]);
  });

  it('fails its task when the client goes away halfway', async () => {
    const vdi = await createDisk('shared', mib);
    const task = await client().call('task.create', 'upload', '');
    const req = request(`${client().url}/import_raw_vdi?vdi=${vdi}&task_id=${task}${session()}`, {
      method: 'PUT',
      headers: { 'content-length': 1000 },
    });
    req.on('error', () => undefined);
    req.write('half');
    const started = new Promise((resolve) =>
      req.on('response', (response) => resolve(response.on('error', () => undefined).resume())),
    );
    await started;
    req.destroy();
    expect(await client().task(task)).toMatchObject({
      status: 'failure',
      error_info: ['VDI_IO_ERROR', 'Device I/O errors'],
    });
    expect(lab().world.contents.has(vdi)).toBe(false);
  });
});
