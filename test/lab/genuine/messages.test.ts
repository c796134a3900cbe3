import { describe, expect, it } from '@jest/globals';
import { poolOf } from '../../../lab/scenario.ts';
import type { RawClient } from '../raw-client.ts';
import { deploy, freshLab } from '../with-lab.ts';

interface Message {
  readonly name: string;
  readonly body: string;
}

/** What the pool's messages say, with the VM's and the host's names in place. */
const told = async (client: RawClient): Promise<string[]> => {
  const messages = Object.values(await client.call<Record<string, Message>>('message.get_all_records'));
  return messages.map(({ name, body }) => `${name}: ${body.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID')}`).sort();
};

describe('the messages of a VM’s life', () => {
  const { client } = freshLab({ pools: [poolOf('xapi-25.33.1', 'rig')] });

  it('say what was done, as the daemon words it', async () => {
    const vm = await deploy(client(), 'web');
    await client().call('VM.start', vm, false, false);
    await client().call('VM.pause', vm);
    await client().call('VM.unpause', vm);
    const snapshot = await client().call('VM.snapshot', vm, 'before');
    await client().call('VM.hard_reboot', vm);
    await client().call('VM.revert', snapshot);
    expect(await told(client())).toEqual([
      "VM_PAUSED: VM 'web' (uuid: UUID) paused",
      "VM_REBOOTED: VM 'web' (uuid: UUID) rebooted forcibly",
      "VM_SHUTDOWN: VM 'web' (uuid: UUID) shutdown forcibly",
      "VM_SNAPSHOTTED: VM 'web' (uuid: UUID) snapshotted, snapshot name: before",
      "VM_SNAPSHOT_REVERTED: VM 'web' (uuid: UUID) reverted to snapshot: before",
      expect.stringMatching(/^VM_STARTED: VM 'web' \(uuid: UUID\) started on host: rig-h\d \(uuid: UUID\)$/),
      "VM_UNPAUSED: VM 'web' (uuid: UUID) unpaused",
    ]);
  });
});

describe('an older daemon', () => {
  const { client } = freshLab({ pools: [poolOf('xenserver-8.2', 'old')] });

  it('tells less, and no uuid', async () => {
    const vm = await deploy(client(), 'web');
    await client().call('VM.start', vm, false, false);
    await client().call('VM.pause', vm);
    await client().call('VM.hard_shutdown', vm);
    expect(await told(client())).toEqual([
      "VM_SHUTDOWN: VM 'web' shutdown forcibly",
      expect.stringMatching(/^VM_STARTED: VM 'web' started on host: old-h\d \(uuid: UUID\)$/),
    ]);
  });
});
