import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { tarEnd, tarEntry, tarFiles } from '../../lab/http/tar.ts';
import { xxh64 } from '../../lab/http/xxh64.ts';
import { defaultPool } from '../../lab/scenario.ts';
import type { World } from '../../lab/world/world.ts';
import { RawClient } from './raw-client.ts';
import { byName, deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab({ pools: [defaultPool(), { ...defaultPool('old1'), product: 'xenserver-8.2' }] });
const mib = 2 ** 20;
const drive = Buffer.concat([Buffer.from('first'), Buffer.alloc(3 * mib), Buffer.from('later')]);

/** A halted VM with something on its disk, and a CD in its drive. */
async function deployed(): Promise<{ vm: string; uuid: string }> {
  const vm = await deploy(client(), 'web');
  const [vbd = ''] = await client().call<string[]>('VM.get_VBDs', vm);
  await lab().world.contents.write(await client().call('VBD.get_VDI', vbd), drive);
  return { vm, uuid: await client().call('VM.get_uuid', vm) };
}

async function exported(query: string): Promise<{ status: number; archive: Buffer; task: string }> {
  const response = await fetch(`${client().url}/export?${query}&session_id=${client().session}`);
  const archive = Buffer.from(await response.arrayBuffer());
  return { status: response.status, archive, task: response.headers.get('task-id') ?? '' };
}

/** The record of the import's task. */
async function imported(archive: Buffer, query = '', into: RawClient = client()) {
  const task = await into.call('task.create', 'import', '');
  const where = `sr_id=${await byName(into, 'SR', 'shared')}&task_id=${task}&session_id=${into.session}`;
  const response = await fetch(`${into.url}/import?${where}${query}`, { method: 'PUT', body: archive });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  return into.task(task);
}

const vmIn = (result: string): string => /OpaqueRef:[\w-]+/.exec(result)?.[0] ?? '';

/** Up to where `drive` ends; the pieces of an archive are longer. */
async function contentOf(world: World, vm: string): Promise<Buffer | undefined> {
  const vdis = world.store.get('VM', vm).VBDs.map((vbd) => world.store.get('VBD', vbd).VDI);
  const all = await Promise.all(vdis.map((vdi) => world.contents.read(vdi)));
  return all.find((content) => content !== undefined)?.subarray(0, drive.length);
}

describe('GET /export', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchboard-xva-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives an archive that tar reads: the description first, then the pieces of the disks with their checksums', async () => {
    const { vm, uuid } = await deployed();
    const { status, archive, task } = await exported(`uuid=${uuid}`);
    expect(status).toBe(200);
    expect(await client().task(task)).toMatchObject({ status: 'success', error_info: [] });
    writeFileSync(join(folder, 'web.xva'), archive);
    execFileSync('tar', ['-xf', 'web.xva'], { cwd: folder });
    const [disk = ''] = readdirSync(folder).filter((name) => name.startsWith('Ref:'));
    const names = [...tarFiles(archive)].map(({ name }) => name);
    const last = 10 * 1024 - 1;
    const chunks = [0, 3, last].map((number) => `${disk}/${String(number).padStart(8, '0')}`);
    expect(names).toEqual(['ova.xml', ...chunks.flatMap((name) => [name, `${name}.xxhash`])]);
    expect(await client().call('VM.get_current_operations', vm)).toEqual({});
  });

  it('refuses a VM that runs, and the task says why', async () => {
    const { vm } = await deployed();
    await client().call('VM.start', vm, false, false);
    const task = await client().call('task.create', 'export', '');
    expect((await exported(`ref=${vm}&task_id=${task}`)).status).toBe(500);
    const error = ['VM_BAD_POWER_STATE', vm, 'halted, suspended', 'running'];
    expect(await client().task(task)).toMatchObject({ status: 'failure', error_info: error });
    expect((await fetch(`${client().url}/export?ref=${vm}`)).status).toBe(401);
  });
});

describe('PUT /import', () => {
  it('makes another VM of an archive, packed or not, which starts', async () => {
    const { vm, uuid } = await deployed();
    const macOf = async (of: string) =>
      client().call('VIF.get_MAC', (await client().call<string[]>('VM.get_VIFs', of))[0]);
    for (const query of ['', '&use_compression=true']) {
      const { archive } = await exported(`ref=${vm}${query}`);
      const { status, result } = await imported(archive);
      expect(status).toBe('success');
      const copy = vmIn(result);
      expect(await client().call('VM.get_record', copy)).toMatchObject({ name_label: 'web', power_state: 'Halted' });
      expect(await client().call('VM.get_uuid', copy)).not.toBe(uuid);
      expect(await macOf(copy)).not.toBe(await macOf(vm));
      expect((await contentOf(lab().world, copy))?.equals(drive)).toBe(true);
      await client().call('VM.start', copy, false, false);
    }
  });

  it('restores a VM with its uuid and addresses, in another pool and in its own once it is gone there', async () => {
    const { vm, uuid } = await deployed();
    const before = lab().world.store.get('VIF', lab().world.store.get('VM', vm).VIFs[0] ?? '').MAC;
    const { archive } = await exported(`ref=${vm}`);
    expect(await imported(archive, '&restore=true')).toMatchObject({
      error_info: ['VM_TO_IMPORT_IS_NOT_NEWER_VERSION', vm, '0', '0'],
    });
    const old = await RawClient.login({ pools: lab().pools.slice(1) });
    const there = lab().worlds[1] as World;
    const away = vmIn((await imported(archive, '&restore=true', old)).result);
    expect(there.store.get('VM', away)).toMatchObject({ uuid, power_state: 'Halted' });
    expect(there.store.get('VIF', there.store.get('VM', away).VIFs[0] ?? '').MAC).toBe(before);
    expect((await contentOf(there, away))?.equals(drive)).toBe(true);
    await client().call('VM.destroy', vm);
    const back = vmIn((await imported(gzipSync(archive), '&restore=true')).result);
    expect(await client().call('VM.get_uuid', back)).toBe(uuid);
    await imported(archive, '&restore=true&force=true');
    expect(await client().refusal('VM.get_record', back)).toEqual(['HANDLE_INVALID', 'VM', back]);
  });

  it('takes what an older pool has exported, with checksums of the older kind', async () => {
    const old = await RawClient.login({ pools: lab().pools.slice(1) });
    const vm = await deploy(old, 'aged');
    const response = await fetch(`${old.url}/export?ref=${vm}&session_id=${old.session}`);
    const archive = Buffer.from(await response.arrayBuffer());
    expect([...tarFiles(archive)][2]?.name).toMatch(/^Ref:\d+\/00000000\.checksum$/);
    expect(await imported(archive)).toMatchObject({ status: 'success' });
  });

  it('leaves nothing of an archive that is damaged, cut off, no VM, or does not fit, and the task says why', async () => {
    const { vm } = await deployed();
    const { archive } = await exported(`ref=${vm}`);
    const [ova, chunk, ...rest] = [...tarFiles(archive)].map(({ name, content }) => tarEntry(name, content, 0));
    const damaged = Buffer.from(chunk ?? '');
    damaged.write('damage', 600);
    const before = lab().snapshot();
    const failing = async (bytes: Buffer) => (await imported(bytes)).error_info[0];
    expect(await failing(Buffer.concat([ova ?? '', damaged, ...rest, tarEnd].map((part) => Buffer.from(part))))).toBe(
      'IMPORT_ERROR_SOME_CHECKSUMS_FAILED',
    );
    expect(await failing(archive.subarray(0, archive.length / 2))).toBe('IMPORT_ERROR_PREMATURE_EOF');
    expect(await failing(Buffer.concat([tarEntry('other.xml', Buffer.from('x'), 0), tarEnd]))).toBe(
      'IMPORT_ERROR_UNEXPECTED_FILE',
    );
    expect(await failing(Buffer.concat([tarEntry('ova.xml', Buffer.from('<value>'), 0), tarEnd]))).toBe('IMPORT_ERROR');
    lab().plan({ kind: 'sr-full', object: 'shared' });
    expect(await failing(archive)).toBe('SR_BACKEND_FAILURE_44');
    expect(lab().diff(before)).toEqual([]);
  });

  it('keeps the VM that it was to replace when the disks cannot be made', async () => {
    const { vm } = await deployed();
    const { archive } = await exported(`ref=${vm}`);
    const before = lab().snapshot();
    lab().plan({ kind: 'sr-full', object: 'shared' });
    const { status, error_info: error } = await imported(archive, '&restore=true&force=true');
    expect([status, error[0]]).toEqual(['failure', 'SR_BACKEND_FAILURE_44']);
    expect(lab().diff(before)).toEqual([]);
  });
});

it('xxh64 gives the published sums', () => {
  expect(xxh64(Buffer.alloc(0))).toBe(0xef46db3751d8e999n);
  expect(xxh64(Buffer.from('abc'))).toBe(0x44bc2cf5ad770999n);
  expect(xxh64(Buffer.from('Call me Ishmael. Some years ago--never mind how long precisely-'))).toBe(
    0x02a2e85470d6fd96n,
  );
});
