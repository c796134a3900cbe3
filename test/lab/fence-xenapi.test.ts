import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { deploy, freshLab } from './with-lab.ts';

const program = '/usr/sbin/fence_xenapi';
const { lab, client } = freshLab();

/** What the fence agent of Debian's fence-agents prints; it speaks XML-RPC by Python's own client. */
async function fence(action: string, vm?: string): Promise<string> {
  const [pool] = lab().pools;
  const login = ['-s', pool?.url ?? '', '-l', pool?.user ?? '', '-p', pool?.password ?? ''];
  const plug = vm === undefined ? [] : ['-n', vm];
  const { stdout } = await promisify(execFile)(program, [...login, '-o', action, ...plug]);
  return stdout;
}

const powerState = (vm: string) => client().call('VM.get_power_state', vm);

(existsSync(program) ? describe : describe.skip)('the fence agent fence_xenapi', () => {
  it('lists the VMs, switches one on, reboots it and switches it off', async () => {
    const vm = await deploy(client(), 'web-1');
    const uuid = await client().call('VM.get_uuid', vm);
    expect(await fence('list')).toContain(`${uuid},web-1`);
    await expect(fence('status', uuid)).rejects.toMatchObject({ stdout: expect.stringContaining('OFF') });
    expect(await fence('on', uuid)).toContain('Success: Powered ON');
    expect(await powerState(vm)).toBe('Running');
    expect(await fence('status', uuid)).toContain('Status: ON');
    expect(await fence('reboot', uuid)).toContain('Success: Rebooted');
    expect(await powerState(vm)).toBe('Running');
    expect(await fence('off', uuid)).toContain('Success: Powered OFF');
    expect(await powerState(vm)).toBe('Halted');
  });
});
