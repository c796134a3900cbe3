import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reapLeftovers, recordPid } from '../../bin/stack/pid-files.ts';
import { identityOf } from '../../bin/stack/process-identity.ts';
import { ensureSecretFile, openStateFolder } from '../../bin/stack/state-folder.ts';
import { lockName, lockStateFolder } from '../../bin/stack/state-lock.ts';

function startIdleProcess(): ChildProcess & { readonly pid: number } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
  return Object.assign(child, { pid: child.pid ?? 0 });
}

describe('the state folder', () => {
  let folder: string;
  let idle: ReturnType<typeof startIdleProcess>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchboard-state-'));
    idle = startIdleProcess();
  });

  afterEach(() => {
    idle.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('can be entered by its owner only', () => {
    chmodSync(folder, 0o755);
    expect(statSync(openStateFolder(folder)).mode & 0o777).toBe(0o700);
  });

  it('is refused when it holds files of somebody else', () => {
    writeFileSync(join(folder, 'thesis.txt'), 'chapter 1');
    expect(() => openStateFolder(folder)).toThrow("holds files that are not Switchboard's");
  });

  it('makes a secret once', () => {
    const path = join(folder, 'token');
    const first = ensureSecretFile(path, () => 'first');
    expect([first, ensureSecretFile(path, () => 'second')]).toEqual(['first', 'first']);
  });

  it('refuses a secret that others can read, with the command that closes it', () => {
    const path = join(folder, 'token');
    writeFileSync(path, 'known', { mode: 0o644 });
    expect(() => ensureSecretFile(path, () => 'new')).toThrow(`chmod 600 ${path}`);
  });

  it('has one supervisor at a time, who is named to the second', () => {
    const unlock = lockStateFolder(openStateFolder(folder));
    expect(() => lockStateFolder(folder)).toThrow(`in use by another Switchboard (pid ${process.pid})`);
    unlock();
    lockStateFolder(folder)();
    expect(existsSync(join(folder, lockName))).toBe(false);
  });

  it('is taken over from a supervisor that is gone, even when its pid is used again', () => {
    openStateFolder(folder);
    writeFileSync(join(folder, lockName), JSON.stringify({ pid: idle.pid, startedAt: 'an earlier time' }));
    const unlock = lockStateFolder(folder);
    expect(JSON.parse(readFileSync(join(folder, lockName), 'utf8'))).toEqual(identityOf(process.pid));
    unlock();
  });

  it('tells which parts were left behind by a killed supervisor: they are ended', async () => {
    const stateDir = openStateFolder(folder);
    recordPid(stateDir, { part: 'worker', order: 3, pid: idle.pid, command: 'node', stopSignal: 'SIGTERM' });
    const said: string[] = [];
    const ended = once(idle, 'exit');
    await reapLeftovers(stateDir, (line) => said.push(line), 10_000);
    expect(await ended).toEqual([null, 'SIGTERM']);
    expect(said).toEqual([`Ended worker (pid ${idle.pid}), left behind by an earlier run.`]);
  });

  it('leaves a process alone that merely got the pid of a former part', async () => {
    const stateDir = openStateFolder(folder);
    recordPid(stateDir, { part: 'worker', order: 3, pid: idle.pid, command: 'node', stopSignal: 'SIGTERM' });
    const file = join(stateDir, 'pids', 'worker.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), startedAt: 'an earlier time' }));
    await reapLeftovers(stateDir, () => undefined, 10_000);
    expect(identityOf(idle.pid)).toBeDefined();
    expect(existsSync(file)).toBe(false);
  });
});
