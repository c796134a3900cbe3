import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { runWhen } from '../api/support/requests.ts';
import { engineNowhere, reconcilerOf, serveApi, startStandInWorker, storeWithoutTables } from '../api/support/rig.ts';
import { serve } from './support/other-server.ts';
import { DEPLOY, openCommandLine } from './support/shell.ts';

const { rig, api, shell } = await openCommandLine();
await startStandInWorker(rig);

describe('the exit code of the command line', () => {
  const idOf = async (name: string, state: string): Promise<string> => {
    const { stdout } = await shell.run([...DEPLOY, name]);
    return (await runWhen(api.url, stdout.trim(), (run) => run.state === state)).id;
  };

  it('is 0 for a run that succeeded, with a line per step and its result', async () => {
    const { code, stdout } = await shell.run([...DEPLOY, 'quick-cli', '--watch']);
    expect(stdout).toMatch(/✔ acquireLock/);
    expect(stdout).toMatch(/SUCCEEDED/);
    expect(stdout).toContain('result: {"uuid":"vm-1"}');
    expect(stdout).not.toContain('\x1b');
    expect(code).toBe(0);
  });

  it('is 0 for a run that was accepted; stdout is its id, the next command is on stderr', async () => {
    const { code, stdout, stderr } = await shell.run([...DEPLOY, 'slow-cli']);
    expect(stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(stderr).toContain(`Next: switchboard watch ${stdout.trim()}`);
    expect(code).toBe(0);
  });

  it('is 1 for a run that failed, with what it owes and the hint of its failure', async () => {
    const id = await idOf('slow-terminated', 'running');
    await rig.client.workflow.getHandle(`deploy-vm/${id}`).terminate();
    await reconcilerOf(rig).runOnce();
    const { code, stdout } = await shell.run(['watch', id]);
    expect(stdout).toContain('owed: remove VM web-01 (vm-1), by cloneVm');
    expect(stdout).toContain('failure: ENGINE_TERMINATED');
    expect(code).toBe(1);
  });

  it.each([
    [['deploy-vm', '--colour', 'red'], '--colour'],
    [['reboot-everything'], 'reboot-everything'],
    [[...DEPLOY, 'web-01', '--vcpus', 'two'], 'Not a number'],
    [[...DEPLOY, 'Web_01', '--memory-mib', '1'], '--name: '],
    [[...DEPLOY, 'Web_01', '--memory-mib', '1'], '--memory-mib: '],
    [[...DEPLOY, 'web-01', '--disks', 'data'], 'Not JSON'],
    [[...DEPLOY, 'web-01', '--disks', '{"name":"data","sizeGiB":0}'], '--disks (0/sizeGiB): '],
    [[...DEPLOY, 'web-01', '--ssh-authorized-keys', '@nowhere.pub'], 'nowhere.pub'],
    [['deploy-vm', '--file', 'nowhere.yaml'], 'The input file nowhere.yaml cannot be used'],
    [['deploy-vm', '--pool', 'ams1', '--key', ''], 'Idempotency-Key'],
    [['delete-vm', '--pool', 'ams1'], '--name: '],
    [['show', 'no-such-run'], 'switchboard runs'],
    [['runs', '--state', 'done'], 'state: '],
    [['runs', '--limit', 'many'], 'Not a number'],
    [['skip', 'x'], '--reason'],
  ])('is 2 for %j, which names %s', async (args, named) => {
    const { code, stdout, stderr } = await shell.run(args);
    expect(stderr).toContain(named);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it.each([
    ['is no YAML', '{ pool', 'The input on stdin cannot be used'],
    ['holds no fields', '- pool', 'it holds no mapping of input fields'],
  ])('is 2 for an input on stdin that %s', async (_what, stdin, words) => {
    const { code, stderr } = await shell.run(['deploy-vm', '--file', '-'], { stdin });
    expect(stderr).toContain(words);
    expect(code).toBe(2);
  });

  it('is 3 for what a run refuses, with the reason', async () => {
    const { code, stderr } = await shell.run(['retry', await idOf('slow-refuses', 'running')]);
    expect(stderr).toContain('The run does not wait for operator.');
    expect(code).toBe(3);
  });

  it.each([[['runs']], [['runs', '--follow']], [['watch', '00000000-0000-7000-8000-000000000000']]])(
    'is 4 for %j without a valid token, and says where tokens come from',
    async (args) => {
      const { code, stderr } = await shell.run(args, { env: { SWITCHBOARD_TOKEN: 'swb_of-somebody-else' } });
      expect(stderr).toContain('SWITCHBOARD_TOKEN_FILE');
      expect(code).toBe(4);
    },
  );

  it('is 5 for a VM that another run works on, and leads to that run', async () => {
    const remove = ['delete-vm', '--pool', 'ams1', '--name', 'slow-conflict', '--yes'];
    const { stdout } = await shell.run(remove);
    const { code, stderr } = await shell.run(remove);
    expect(stderr).toContain(`Next: switchboard watch ${stdout.trim()}`);
    expect(code).toBe(5);
  });

  it('is 6 for a run that needs an operator, with the answers to choose from', async () => {
    const id = await idOf('held-cli', 'needs-operator');
    const { code, stderr } = await shell.run(['watch', id]);
    expect(stderr).toContain(`switchboard retry ${id}`);
    expect(code).toBe(6);
  });

  it('is 7 for a cancelled run', async () => {
    const id = await idOf('slow-cancelled', 'running');
    expect(await shell.run(['cancel', id])).toMatchObject({ code: 0, stdout: 'stops for operator\n' });
    expect(await shell.run(['watch', id])).toMatchObject({ code: 7 });
  });

  it('is 8 for a run that was done with skips', async () => {
    const id = await idOf('held-skipped', 'needs-operator');
    expect(await shell.run(['skip', id, '--reason', 'removed by hand'])).toMatchObject({ code: 0 });
    const { code, stdout } = await shell.run(['watch', id]);
    expect(stdout).toContain('cloneVm left out: removed by hand');
    expect(code).toBe(8);
  });

  it('is 75 when no server is there, with the key that makes a repetition harmless', async () => {
    const { code, stderr } = await shell.run([...DEPLOY, 'web-01'], { env: { SWITCHBOARD_URL: 'http://127.0.0.1:9' } });
    expect(stderr).toContain('cannot be reached');
    expect(stderr).toMatch(/--key [0-9a-f-]{36}/);
    expect(code).toBe(75);
  });

  const at = (url: string) => ({ env: { SWITCHBOARD_URL: url } });

  it('is 75 when nothing can be started now, and leads to the run that was accepted all the same', async () => {
    const withoutTemporal = await serveApi(rig, { engine: engineNowhere(rig) });
    const { code, stderr } = await shell.run([...DEPLOY, 'quick-accepted'], at(withoutTemporal));
    expect(stderr).toMatch(/Next: switchboard watch [0-9a-f-]{36}/);
    expect(code).toBe(75);
  });

  it('is 75 when too much was asked, with how long to wait', async () => {
    const busy = await serveApi(rig, { ratePerMinute: 1 });
    await shell.run(['runs'], at(busy));
    const { code, stderr } = await shell.run(['runs'], at(busy));
    expect(stderr).toContain('Retry-After');
    expect(code).toBe(75);
  });

  it('is 1 when the API fails in a way that nobody foresaw, with the id under which its log has more', async () => {
    const broken = await serveApi(rig, { store: await storeWithoutTables(rig) });
    const { code, stderr } = await shell.run(['runs'], at(broken));
    const [, requestId = 'none'] = /^Request id: (\S+)$/m.exec(stderr) ?? [];
    expect(rig.logged.join('')).toContain(requestId);
    expect(code).toBe(1);
  });

  it.each([
    ['a web page', 200, '<html>'],
    ["a proxy's trouble", 502, '<html>bad gateway</html>'],
    ['the problem of another program', 404, '{"error":"no such thing"}'],
    ['nothing at all', 204, ''],
  ])('is 75 when the address answers with %s', async (_what, status, page) => {
    const { url, server } = await serve((_request, response) => void response.writeHead(status).end(page));
    const { code, stderr } = await shell.run(['runs'], at(url));
    server.close();
    expect(stderr).toContain(`answered with status ${status}, but not as Switchboard's API does`);
    expect(code).toBe(75);
  });

  it('is 130 for a request that was interrupted, with the key that makes a repetition harmless', async () => {
    const { url, server } = await serve(() => undefined);
    const { finished, interrupt } = shell.start([...DEPLOY, 'web-01'], at(url));
    await once(server, 'request');
    interrupt();
    const { code, stderr } = await finished;
    server.closeAllConnections();
    server.close();
    expect(stderr).toContain('the server may still do what it was asked');
    expect(stderr).toMatch(/--key [0-9a-f-]{36}/);
    expect(code).toBe(130);
  });
});
