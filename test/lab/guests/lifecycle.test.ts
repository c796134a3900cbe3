import { connect, type Socket } from 'node:net';
import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { InProcessGuests } from '../../../lab/guests/guest.ts';
import { newEd25519KeyPair } from '../../../lab/guests/host-keys.ts';
import { answeredUntilStopped, consoleLine, driveWith, specOf } from './boot.ts';

const drive = driveWith({ ssh_authorized_keys: [newEd25519KeyPair().public] });
let guests = new InProcessGuests({});

afterEach(async () => {
  await guests.close();
  guests = new InProcessGuests({});
});

async function openHandles(): Promise<Record<string, number>> {
  // A handle is counted until the event loop has run its closing callbacks.
  for (let turn = 0; turn < 3; turn += 1) await nextTurn();
  const count = (kind: string): number => process.getActiveResourcesInfo().filter((name) => name === kind).length;
  return { servers: count('TCPServerWrap'), sockets: count('TCPSocketWrap') };
}

async function connectTo(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  return socket;
}

describe('a guest', () => {
  it('has no address before it has booted and after it was stopped', async () => {
    const guest = guests.boot(specOf(drive));
    expect(guest.address).toBeUndefined();
    const { address, sshPort } = await guest.booted;
    expect(guest).toMatchObject({ address, sshPort });
    await guest.stop();
    expect(guest.address).toBeUndefined();
  });

  it('never answers when its config drive is broken, and says why on its console', async () => {
    const guest = guests.boot(specOf(Buffer.alloc(4096)));
    expect(await consoleLine(guest, /boot failed/)).toBe(
      'boot failed: no volume labelled cidata on the config drive of 4096 bytes: it holds no FAT or ISO9660 file system',
    );
    expect(guest.address).toBeUndefined();
    expect(await answeredUntilStopped(guest)).toBe(false);
  });

  it('never answers when the lab planned that it does not boot', async () => {
    const guest = guests.boot(specOf(drive, { neverBoots: true }));
    await consoleLine(guest, /planned by the lab/);
    expect(await answeredUntilStopped(guest)).toBe(false);
  });

  it('can be stopped while it boots, and then does not answer', async () => {
    const guest = guests.boot(specOf(drive, { bootDelayMs: 3_600_000 }));
    expect(await answeredUntilStopped(guest)).toBe(false);
  });

  it('boots without a config drive, as its image is', async () => {
    expect(await guests.boot(specOf(undefined)).booted).toMatchObject({ hostname: 'localhost' });
  });

  it('can be stopped twice', async () => {
    const guest = guests.boot(specOf(drive));
    await guest.booted;
    await Promise.all([guest.stop(), guest.stop()]);
  });

  it('cuts open connections when it stops', async () => {
    const guest = guests.boot(specOf(drive));
    const { address, sshPort } = await guest.booted;
    const socket = (await connectTo(address, sshPort)).resume();
    const closed = once(socket, 'close');
    await guest.stop();
    await closed;
    await expect(connectTo(address, sshPort)).rejects.toThrow('ECONNREFUSED');
  });

  it('survives a client that resets its connection', async () => {
    const { address, sshPort } = await guests.boot(specOf(drive)).booted;
    const socket = await connectTo(address, sshPort);
    await once(socket, 'data');
    socket.resetAndDestroy();
    const next = await connectTo(address, sshPort);
    expect(String((await once(next, 'data'))[0])).toMatch(/^SSH-2\.0-/);
    next.destroy();
  });

  it('reports a client that leaves before it logs in, without a user', async () => {
    const reports = new EventEmitter();
    guests = new InProcessGuests({ onSshConnect: (event) => reports.emit('connect', event) });
    const spec = specOf(drive);
    const { address, sshPort } = await guests.boot(spec).booted;
    const reported = once(reports, 'connect');
    (await connectTo(address, sshPort)).end('SSH-2.0-shy\r\n');
    expect(await reported).toEqual([{ vmUuid: spec.vmUuid, user: undefined }]);
  });
});

describe('the addresses of guests', () => {
  it('differ even when the names are the same', async () => {
    const [one, other] = await Promise.all([guests.boot(specOf(drive)).booted, guests.boot(specOf(drive)).booted]);
    expect(one.hostname).toBe(other.hostname);
    expect(one.address).not.toBe(other.address);
  });

  it('are the ones from before, when they are free', async () => {
    const before = await guests.boot(specOf(drive)).booted;
    await guests.close();
    const after = await guests.boot(specOf(drive, { addressHint: before.address })).booted;
    expect(after.address).toBe(before.address);
  });

  it('are other ones, when the ones from before are taken, be it by another lab', async () => {
    const otherLab = new InProcessGuests({});
    const taken = await otherLab.boot(specOf(drive)).booted;
    const { address } = await guests.boot(specOf(drive, { addressHint: taken.address })).booted;
    await otherLab.close();
    expect(address).toMatch(/^127\.1\./);
    expect(address).not.toBe(taken.address);
  });

  it('share the SSH port that the pool prescribes', async () => {
    const specs = [specOf(drive, { sshPort: 2244 }), specOf(drive, { sshPort: 2244 })];
    const booted = await Promise.all(specs.map((spec) => guests.boot(spec).booted));
    expect(booted.map(({ sshPort }) => sshPort)).toEqual([2244, 2244]);
  });
});

describe('two hundred guests', () => {
  it('start, have an address each, stop, and leave nothing open', async () => {
    const before = await openHandles();
    const booted = await Promise.all(Array.from({ length: 200 }, () => guests.boot(specOf(drive)).booted));
    expect(new Set(booted.map(({ address }) => address)).size).toBe(200);
    expect((await openHandles()).servers).toBe((before.servers ?? 0) + 200);
    await guests.close();
    expect(await openHandles()).toEqual(before);
  });
});
