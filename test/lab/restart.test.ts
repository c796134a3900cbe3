import { appendFile, copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../lab/lab.ts';
import { startLab } from '../../lab/lab.ts';
import { RawClient } from './raw-client.ts';
import { deploy } from './with-lab.ts';

let folder: string;
let stateFile: string;
const open: Lab[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-'));
  stateFile = join(folder, 'world.json');
});
afterEach(async () => {
  for (const lab of open.splice(0)) await lab.close();
  await rm(folder, { recursive: true });
});

async function start(): Promise<{ lab: Lab; client: RawClient }> {
  const lab = await startLab({ stateFile });
  open.push(lab);
  return { lab, client: await RawClient.login(lab) };
}

async function restart(lab: Lab): Promise<{ lab: Lab; client: RawClient }> {
  open.splice(open.indexOf(lab), 1);
  await lab.close();
  return start();
}

async function guestAddress(client: RawClient, vm: string): Promise<string> {
  for (let token = ''; ;) {
    const metrics = await client.call('VM.get_guest_metrics', vm);
    if (metrics !== 'OpaqueRef:NULL')
      return (await client.call<Record<string, string>>('VM_guest_metrics.get_networks', metrics))['0/ip'] ?? '';
    token = (await client.call<{ token: string }>('event.from', [`vm/${vm}`], token, 5.5)).token;
  }
}

describe('a lab with a state file', () => {
  it('has the same world at the same addresses after a restart', async () => {
    const first = await start();
    await deploy(first.client, 'web-1');
    const before = first.lab.snapshot();
    const second = await restart(first.lab);
    expect(second.lab.pools).toEqual(first.lab.pools);
    expect(second.lab.diff(before)).toEqual([]);
  });

  it('loses sessions and tasks, and tells every object again to an old event token', async () => {
    const first = await start();
    const task = await first.client.call('task.create', 'mine', '');
    const { token } = await first.client.call<{ token: string }>('event.from', ['pool'], '', 0.01);
    const second = await restart(first.lab);
    expect(await second.client.refusal('task.get_record', task)).toEqual(['HANDLE_INVALID', 'task', task]);
    expect(await first.client.refusal('VM.get_all')).toEqual(['SESSION_INVALID', first.client.session]);
    const { events } = await second.client.call<{ events: { operation: string }[] }>(
      'event.from',
      ['pool'],
      token,
      0.01,
    );
    expect(events.map(({ operation }) => operation)).toEqual(['add']);
  });

  it('boots the guests of running VMs again at their addresses', async () => {
    const first = await start();
    const vm = await deploy(first.client, 'web-1');
    await first.client.call('VM.start', vm, false, false);
    const address = await guestAddress(first.client, vm);
    const second = await restart(first.lab);
    expect(await second.client.call('VM.get_power_state', vm)).toBe('Running');
    const guest = second.lab.world.runningGuests.get(vm);
    expect((await guest?.booted)?.address).toBe(address);
  });

  it('keeps what was uploaded', async () => {
    const first = await start();
    const vm = await deploy(first.client, 'web-1');
    const [vbd] = await first.client.call<string[]>('VM.get_VBDs', vm);
    const vdi = await first.client.call('VBD.get_VDI', vbd);
    await fetch(`${first.client.url}/import_raw_vdi?vdi=${vdi}&session_id=${first.client.session}`, {
      method: 'PUT',
      body: 'content',
    }).then((r) => r.text());
    const second = await restart(first.lab);
    expect((await second.lab.world.contents.read(vdi))?.toString()).toBe('content');
  });

  it('forgets operations that were under way', async () => {
    const first = await start();
    const vm = await deploy(first.client, 'web-1');
    const barrier = first.lab.hold({ method: 'VM.start', at: 'before-effect' });
    await first.client.call('Async.VM.start', vm, false, false);
    await barrier.reached;
    const second = await restart(first.lab);
    expect(await second.client.call('VM.get_record', vm)).toMatchObject({
      power_state: 'Halted',
      current_operations: {},
    });
  });

  it('knows everything that it answered for, even if it was killed and not stopped', async () => {
    const first = await start();
    const vm = await deploy(first.client, 'web-1');
    await first.client.call('VM.destroy', vm);
    const kept = await deploy(first.client, 'web-2');
    const before = first.lab.snapshot();
    const copy = join(folder, 'killed.json');
    const journal = (await readdir(folder)).find((name) => name.endsWith('.journal')) ?? '';
    await copyFile(stateFile, copy);
    await copyFile(join(folder, journal), join(folder, journal.replace('world', 'killed')));
    await appendFile(join(folder, journal.replace('world', 'killed')), '{"pool":"ams1","cls":"V');
    await first.client.call('VM.set_name_label', kept, 'after the kill');
    open.splice(0);
    await first.lab.close();
    stateFile = copy;
    const second = await start();
    expect(second.lab.diff(before)).toEqual([]);
  });

  it('refuses a file that it did not write', async () => {
    await writeFile(stateFile, '{"version":99}');
    await expect(startLab({ stateFile })).rejects.toThrow('is no lab state of version 1');
  });
});
