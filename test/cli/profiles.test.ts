import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { TOKEN } from '../api/support/rig.ts';
import { openCommandLine } from './support/shell.ts';

const { api, shell } = await openCommandLine();
const token = join(api.folder, 'token');
const config = join(api.folder, '.config', 'switchboard', 'config.yaml');
mkdirSync(dirname(config), { recursive: true });

const NO_SERVER = 'http://127.0.0.1:9';

describe('profiles', () => {
  beforeEach(() => writeFileSync(config, ''));

  /** An environment that names no server. */
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    shell.run(args, { env: { SWITCHBOARD_URL: '', SWITCHBOARD_TOKEN_FILE: '', ...env } });
  const add = (name: string, url: string) => run(['profile', 'add', name, '--url', url, '--token-file', token]);

  it('lead commands to the current server with its token; the first one added is current', async () => {
    expect(await add('lab', api.url)).toMatchObject({ code: 0 });
    await add('prod', NO_SERVER);
    expect(await run(['runs'])).toMatchObject({ code: 0 });
    expect((await run(['profile', 'list'])).stdout).toBe(
      `* lab  ${api.url}  ${token}\n  prod  ${NO_SERVER}  ${token}\n`,
    );
  });

  it('are chosen by profile use, by SWITCHBOARD_PROFILE before that, by --profile before both', async () => {
    await add('lab', api.url);
    await add('prod', NO_SERVER);
    await run(['profile', 'use', 'prod']);
    expect(await run(['runs'])).toMatchObject({ code: 75 });
    expect(await run(['runs'], { SWITCHBOARD_PROFILE: 'lab' })).toMatchObject({ code: 0 });
    expect(await run(['runs', '--profile', 'prod'], { SWITCHBOARD_PROFILE: 'lab' })).toMatchObject({ code: 75 });
  });

  it('give way to SWITCHBOARD_URL, whose server never gets their token', async () => {
    await add('prod', NO_SERVER);
    const { code, stderr } = await run(['runs'], { SWITCHBOARD_URL: api.url });
    expect(stderr).toContain('carries no valid token');
    expect(code).toBe(4);
    expect(await run(['runs'], { SWITCHBOARD_URL: api.url, SWITCHBOARD_TOKEN: TOKEN })).toMatchObject({ code: 0 });
  });

  it('are not guessed at when --profile and SWITCHBOARD_URL name two servers', async () => {
    await add('prod', NO_SERVER);
    const { code, stderr } = await run(['runs', '--profile', 'prod'], { SWITCHBOARD_URL: api.url });
    expect(stderr).toContain('both name a server; nothing was sent');
    expect(code).toBe(2);
  });

  it('refuse a token file that others can read, when it is added and whenever it is used', async () => {
    await add('lab', api.url);
    chmodSync(token, 0o640);
    try {
      const words = `can be read by others (mode 0640): chmod 600 ${token}`;
      expect((await run(['runs'])).stderr).toContain(words);
      const { code, stderr } = await add('prod', api.url);
      expect(stderr).toContain(words);
      expect(code).toBe(2);
      expect(readFileSync(config, 'utf8')).not.toContain('prod');
    } finally {
      chmodSync(token, 0o600);
    }
  });

  it('keep the comments that a person wrote into their file', async () => {
    writeFileSync(config, `# our servers\nprofiles:\n  lab: # the small one\n    url: ${api.url}\n`);
    await add('prod', NO_SERVER);
    expect(readFileSync(config, 'utf8')).toContain('# our servers');
    expect(readFileSync(config, 'utf8')).toContain('# the small one');
  });

  it('are removed by name; the current one leaves none behind it', async () => {
    await add('lab', api.url);
    expect(await run(['profile', 'remove', 'lab'])).toMatchObject({ code: 0 });
    expect(JSON.parse((await run(['profile', 'list', '--json'])).stdout)).toEqual([]);
  });

  it('stay as they are when another one is removed, and are shown without a token where there is none', async () => {
    await add('lab', api.url);
    await run(['profile', 'add', 'prod', '--url', NO_SERVER]);
    await run(['profile', 'remove', 'lab']);
    expect((await run(['profile', 'list'])).stdout).toBe(`  prod  ${NO_SERVER}  no token\n`);
    await add('lab', api.url);
    await run(['profile', 'remove', 'prod']);
    expect((await run(['profile', 'list'])).stdout).toBe(`* lab  ${api.url}  ${token}\n`);
  });

  it('are asked for where there are none yet', async () => {
    expect((await run(['profile', 'list'])).stderr).toContain('There are no profiles yet.');
    expect((await run(['profile', 'use', 'lab'])).stderr).toContain('There are none yet.');
  });

  it.each([
    [['profile', 'use', 'nowhere'], 'There is no profile nowhere. There are: lab.'],
    [['runs', '--profile', 'nowhere'], 'Next: switchboard profile add nowhere --url'],
    [['profile', 'add', 'lab', '--url', NO_SERVER], 'Next: switchboard profile remove lab'],
    [['profile', 'add', 'Prod!', '--url', NO_SERVER], 'a profile name: lower-case letters'],
    [['profile', 'add', 'ftp', '--url', 'ftp://example.net'], 'a URL that starts with http'],
  ])('refuse %j and say why', async (args, words) => {
    await add('lab', api.url);
    const before = readFileSync(config, 'utf8');
    const { code, stderr } = await run(args);
    expect(stderr).toContain(words);
    expect(code).toBe(2);
    expect(readFileSync(config, 'utf8')).toBe(before);
  });

  it.each(['profiles: [lab', 'profiles: { lab: { address: http://127.0.0.1 } }'])(
    'say where their file is broken: %s',
    async (content) => {
      writeFileSync(config, content);
      const { code, stderr } = await run(['runs']);
      expect(stderr).toContain(`The profiles in ${config} cannot be used`);
      expect(code).toBe(2);
    },
  );
});
