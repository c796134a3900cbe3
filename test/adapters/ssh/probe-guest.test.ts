import { afterAll, describe, expect, it } from '@jest/globals';
import { buildConfigDrive } from '../../../adapters/cloud-init/drive.ts';
import { renderCloudInit } from '../../../adapters/cloud-init/render.ts';
import { generateHostKey, type HostKey } from '../../../adapters/ssh/host-key.ts';
import { probeHostKey } from '../../../adapters/ssh/probe.ts';
import { InProcessGuests } from '../../../lab/guests/guest.ts';

const guests = new InProcessGuests({});
const signal = new AbortController().signal;

afterAll(() => guests.close());

/** A guest that booted from a drive of ours, with the host key that the drive injects. */
async function bootGuest(hostKey: HostKey) {
  const drive = await buildConfigDrive(
    renderCloudInit({ instanceId: 'a1', hostname: 'web-01', hostKey, sshAuthorizedKeys: [] }),
  );
  const spec = {
    vmUuid: 'a1',
    name: 'web-01',
    drive,
    vifs: [{ mac: '02:00:00:00:00:01' }],
    bootDelayMs: 0,
    sshPort: 0,
  };
  return guests.boot(spec).booted;
}

describe('a guest that booted from our config drive', () => {
  it('has the host name of the drive and answers with the injected key', async () => {
    const hostKey = generateHostKey();
    const { address, sshPort: port, hostname } = await bootGuest(hostKey);
    expect(hostname).toBe('web-01');
    const probe = { address, port, expectedPublicKey: hostKey.publicKey, timeoutMs: 10_000, signal };
    await expect(probeHostKey(probe)).resolves.toEqual({ answers: true });
  });

  it('is told from another machine that has taken over its address', async () => {
    const { address, sshPort: port } = await bootGuest(generateHostKey());
    const { publicKey } = generateHostKey();
    const probe = { address, port, expectedPublicKey: publicKey, timeoutMs: 10_000, signal };
    await expect(probeHostKey(probe)).rejects.toMatchObject({ code: 'HOST_KEY_MISMATCH' });
  });
});
