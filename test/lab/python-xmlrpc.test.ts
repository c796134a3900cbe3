import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { freshLab } from './with-lab.ts';

const program = '/usr/bin/python3';
const script = fileURLToPath(new URL('xmlrpc-session.py', import.meta.url));
const { lab } = freshLab();

(existsSync(program) ? describe : describe.skip)("a client by Python's own XML-RPC, as XenAPI.py is", () => {
  it('logs in, lists, follows events, and takes a VM from its clone to its end', async () => {
    const [pool] = lab().pools;
    const { stdout } = await promisify(execFile)(program, [
      script,
      ...[pool?.url ?? '', pool?.user ?? '', pool?.password ?? ''],
    ]);
    const { vm, ...seen } = JSON.parse(stdout) as { vm: string };
    expect(seen).toEqual({
      known: true,
      name: 'from-python é',
      memory: '2147483648',
      isTemplate: false,
      snapshotTime: '19700101T00:00:00Z',
      made: 'Halted',
      running: 'Running',
      twice: 'VM_BAD_POWER_STATE',
      halted: 'Halted',
      gone: null,
      afterwards: ['HANDLE_INVALID', 'VM', vm],
      loggedOut: 'SESSION_INVALID',
    });
    expect(lab().world.store.find('VM', vm)).toBeUndefined();
  });
});
