import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityOf } from '../../bin/stack/process-identity.ts';
import { openStateFolder } from '../../bin/stack/state-folder.ts';
import { Supervisor } from '../../bin/stack/supervisor.ts';
import { fakePart, impatient, journal, obedient, until } from './fake-parts.ts';

describe('the supervisor', () => {
  let folder: string;
  let stateDir: string;
  let supervisor: Supervisor;
  let said: string[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'switchboard-supervisor-'));
    stateDir = openStateFolder(join(folder, 'state'));
    said = [];
    supervisor = await Supervisor.open(stateDir, (line) => said.push(line), impatient);
  });

  afterEach(async () => {
    await supervisor.stop();
    rmSync(folder, { recursive: true });
  });

  it('starts parts in the order it is told to and stops them in the reverse order', async () => {
    for (const name of ['database', 'worker', 'api']) await supervisor.start(fakePart(folder, name));
    const pids = ['database', 'worker', 'api'].map((name) => supervisor.pid(name));
    await supervisor.stop();
    expect(journal(folder)).toEqual(['up database', 'up worker', 'up api', 'down api', 'down worker', 'down database']);
    expect(pids.map(identityOf)).toEqual([undefined, undefined, undefined]);
  });

  it('hands on the ready line, which stays out of the log that holds all other lines', async () => {
    const ready = await supervisor.start(fakePart(folder, 'worker'));
    expect(ready).toEqual({ ready: true, pid: supervisor.pid('worker'), secret: 'not for the log' });
    await supervisor.stop();
    expect(readFileSync(join(stateDir, 'logs', 'worker.log'), 'utf8')).toBe('a line for the log\n');
  });

  it('starts a part again that was killed, and says so in one line', async () => {
    await supervisor.start(fakePart(folder, 'worker'));
    const restarted = new Promise((resolve) => supervisor.onRestart((part, pid) => resolve([part, pid])));
    process.kill(supervisor.pid('worker'), 'SIGKILL');
    expect(await restarted).toEqual(['worker', supervisor.pid('worker')]);
    expect(said).toEqual([`worker died (SIGKILL) and was started again as pid ${supervisor.pid('worker')}.`]);
  });

  it('gives a part up that dies again and again, naming its last end and its log', async () => {
    const once = `${obedient}\nsetTimeout(() => process.exit(7), 5);`;
    await supervisor.start(fakePart(folder, 'worker', once));
    const trouble = await supervisor.givenUp;
    expect(trouble.message).toContain('worker died 3 times in a row');
    expect(trouble.message).toContain('exit code 7');
    expect(trouble.message).toContain(join(stateDir, 'logs', 'worker.log'));
    expect(() => supervisor.pid('worker')).toThrow('worker is not running at this moment');
  });

  it('says the last words of a part that ends before it is ready, and leaves nothing of it', async () => {
    const part = fakePart(folder, 'api', `console.error('no configuration'); process.exit(3);`);
    await expect(supervisor.start(part)).rejects.toThrow(
      /^api was not ready: it ended \(exit code 3\).*no configuration$/,
    );
    expect(() => supervisor.pid('api')).toThrow('api is not running');
  });

  it('names a part whose program is not there', async () => {
    const part = { ...fakePart(folder, 'api'), command: join(folder, 'missing') };
    await expect(supervisor.start(part)).rejects.toThrow(/^api cannot be started: .*ENOENT/);
  });

  it('kills a part that does not end in time, and says so', async () => {
    const deaf = `${obedient}\nprocess.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {});`;
    await supervisor.start({ ...fakePart(folder, 'worker', deaf), stopLimitMs: 50 });
    const pid = supervisor.pid('worker');
    await supervisor.stop();
    expect(identityOf(pid)).toBeUndefined();
    expect(said).toEqual([`worker (pid ${pid}) did not end within 0.05 s; it was killed.`]);
  });

  it('stops a part that is still starting', async () => {
    const silent = obedient.replace(/console.log.*ready.*/, '');
    const part = fakePart(folder, 'worker', silent);
    const starting = expect(supervisor.start(part)).rejects.toThrow('worker was not ready: it ended (exit code 0)');
    await until(() => existsSync(join(folder, 'journal')));
    await supervisor.stop();
    await starting;
    await expect(supervisor.start(part)).rejects.toThrow('Switchboard is being stopped');
  });
});
