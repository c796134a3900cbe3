import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { runWhen, send } from '../api/support/requests.ts';
import { openRig, startStandInWorker, TOKEN } from '../api/support/rig.ts';
import { startApiProcess } from './support/processes.ts';
import { DEPLOY, openCommandLine } from './support/shell.ts';

const { rig, api, shell } = await openCommandLine();
await startStandInWorker(rig);

describe('the command line', () => {
  const shownBy = async (args: readonly string[]) => {
    const { stdout, stderr } = await shell.run(args);
    expect(stderr).toContain('accepted');
    return (await send(`${api.url}/v1/runs/${stdout.trim()}`)).body.run;
  };

  it('makes its flags from the catalogue: repeatable lists, JSON for objects, @file for long text', async () => {
    writeFileSync(join(api.folder, 'user-data'), '#cloud-config\npackages: [canary]\n');
    writeFileSync(join(api.folder, 'id.pub'), 'ssh-ed25519 AAAA alice\n');
    const run = await shownBy([
      ...[...DEPLOY, 'quick-flags', '--networks', 'backup', '--vcpus', '4', '--memory-mib', '4096'],
      ...['--disks', '{"name":"data","sizeGiB":20}', '--disks', '{"name":"log","sizeGiB":5}'],
      ...['--user-data', '@user-data', '--ssh-authorized-keys', '@id.pub', '--ssh-authorized-keys', 'ssh-rsa BBBB'],
    ]);
    expect(run.input).toMatchObject({
      networks: ['tenant', 'backup'],
      vcpus: 4,
      memoryMiB: 4096,
      disks: [
        { name: 'data', sizeGiB: 20 },
        { name: 'log', sizeGiB: 5 },
      ],
      sshAuthorizedKeys: ['ssh-ed25519 AAAA alice', 'ssh-rsa BBBB'],
      secretsId: run.id,
    });
    expect(JSON.stringify(run)).not.toContain('canary');
    expect(rig.logged.join('')).not.toContain('canary');
  });

  it('lists every field of an operation in its help, with what is required', async () => {
    const { stdout, code } = await shell.run(['deploy-vm', '--help']);
    for (const flag of ['--pool', '--memory-mib', '--ssh-authorized-keys', '--user-data <@file>', '--disks <json>']) {
      expect(stdout).toContain(flag);
    }
    expect(stdout).toMatch(/--name <text> [^-]*required/);
    expect(code).toBe(0);
  });

  it('takes the input from a file and lets flags win', async () => {
    const file = join(api.folder, 'web.yaml');
    writeFileSync(file, 'pool: ams1\nname: quick-file\ntemplate: debian-11\nnetworks: [tenant]\nvcpus: 2\n');
    const run = await shownBy(['deploy-vm', '--file', file, '--template', 'debian-12']);
    expect(run.input).toMatchObject({ name: 'quick-file', template: 'debian-12', vcpus: 2 });
  });

  it('attaches to its run when it is repeated with its key', async () => {
    const args = [...DEPLOY, 'quick-key', '--key', randomUUID()];
    const [first, second] = [await shell.run(args), await shell.run(args)];
    expect(second.stdout).toBe(first.stdout);
  });

  it('lists runs, page by page, and shows one', async () => {
    const id = (await shell.run([...DEPLOY, 'quick-listed'])).stdout.trim();
    await runWhen(api.url, id, ({ state }) => state === 'succeeded');
    const list = await shell.run(['runs', '--limit', '1']);
    expect(list.stdout).toMatch(new RegExp(`^RUN .*\n${id}  succeeded .*quick-listed`));
    expect(list.stderr).toContain(`More: switchboard runs --cursor ${id}`);
    expect((await shell.run(['runs', '--limit', '1', '--cursor', id])).stdout).not.toContain(id);
    expect((await shell.run(['show', id])).stdout).toContain('✔ acquireLock');
  });

  it('speaks JSON on stdout when asked to, of data, of events and of problems', async () => {
    const { stdout } = await shell.run([...DEPLOY, 'quick-json', '--json', '--watch']);
    const events = stdout.trim().split('\n');
    const last = JSON.parse(events.at(-1) ?? '') as { runId: string; kind: string; state: string };
    expect(last).toMatchObject({ kind: 'run-state', state: 'succeeded' });
    for (const args of [['show', last.runId], ['runs']]) {
      expect(JSON.parse((await shell.run([...args, '--json'])).stdout)).toBeInstanceOf(Object);
    }
    const refused = await shell.run(['cancel', last.runId, '--json']);
    expect(JSON.parse(refused.stdout)).toMatchObject({ code: 'ACTION_REFUSED', runId: last.runId });
    expect(refused.code).toBe(3);
  });
});

describe('the API process', () => {
  it('says on stdout that it is ready and nothing else, and ends in order at SIGTERM', async () => {
    const rig = await openRig();
    const api = await startApiProcess(rig);
    expect(await send(`${api.url}/readyz`)).toMatchObject({ status: 200 });
    api.child.kill('SIGTERM');
    const stdout = await api.stdout;
    expect(JSON.parse(stdout)).toEqual({ ready: true, pid: api.child.pid, url: api.url });
    expect(await api.ended).toBe(0);
    expect(api.logged()).toContain('"status":200');
    expect(api.logged()).not.toContain(TOKEN);
    await rig.close();
  });
});
