import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { acceptRun } from '../api/support/accept-run.ts';
import { program } from './support/processes.ts';
import { openCommandLine } from './support/shell.ts';

const { rig, api, shell } = await openCommandLine();

describe('completion', () => {
  /** The words that are offered for the last of these, which is being typed. */
  const offers = async (words: readonly string[], env: Record<string, string> = {}): Promise<string[]> => {
    const { stdout } = await shell.run(['__complete', ...words], { env });
    return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
  };

  it('offers the verbs: operations, answers to runs, profiles', async () => {
    expect(await offers([''])).toEqual(expect.arrayContaining(['deploy-vm', 'watch', 'profile', 'completion']));
    expect(await offers(['del'])).toEqual(['delete-vm']);
    expect(await offers(['profile', 'us'])).toEqual(['use']);
  });

  it('offers flags, made from the input of the operation', async () => {
    expect(await offers(['deploy-vm', '--me'])).toEqual(['--memory-mib']);
    expect(await offers(['deploy-vm', '--pool', 'ams1', '--ssh-t'])).toEqual(['--ssh-timeout-seconds']);
    expect(await offers(['delete-vm', '--yes', '--he'])).toEqual(['--help']);
  });

  it('offers values where it knows them', async () => {
    expect((await offers(['runs', '--operation', 'd'])).toSorted()).toEqual(['delete-vm', 'deploy-vm']);
    expect(await offers(['runs', '--state', 'need'])).toEqual(['needs-operator']);
    expect(await offers(['completion', 'z'])).toEqual(['zsh']);
    expect(await offers(['deploy-vm', '--name', ''])).toEqual([]);
    expect(await offers(['show', 'one', ''])).toEqual([]);
  });

  it('offers recent runs where a run is meant, and only those that an answer fits', async () => {
    const { id } = await acceptRun(rig, 'deploy-vm', 'web-01');
    expect(await offers(['show', ''])).toEqual([id]);
    expect(await offers(['watch', id, id.slice(0, 4)])).toEqual([id]);
    expect(await offers(['retry', ''])).not.toContain(id);
  });

  it('offers profiles where one is named, and asks the server of the one that was chosen', async () => {
    const noServer = { SWITCHBOARD_URL: '' };
    await shell.run(['profile', 'add', 'prod', '--url', 'http://127.0.0.1:9']);
    expect(await offers(['runs', '--profile', 'p'])).toEqual(['prod']);
    expect(await offers(['profile', 'use', 'p'])).toEqual(['prod']);
    expect(await offers(['--profile', 'prod', 'show', ''], noServer)).toEqual([]);
    await shell.run(['profile', 'remove', 'prod']);
  });

  it('stays silent when the server is away', async () => {
    expect(await offers(['show', '0'], { SWITCHBOARD_URL: 'http://127.0.0.1:9' })).toEqual([]);
  });
});

/** How each shell is asked for what it would offer for every line of stdin, the last word of which is being typed. */
const ASK = {
  bash: `eval "$(switchboard completion bash)"
    function=$(complete -p switchboard | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    while IFS= read -r line; do
      read -ra COMP_WORDS <<< "$line"; [[ $line == *' ' ]] && COMP_WORDS+=('')
      COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      $function < /dev/null
      printf '%s\\n' "\${COMPREPLY[@]}" ---
    done`,
  // Its completion system works at a terminal only: the functions that offer are replaced by ones that tell.
  zsh: `compdef() { :; }; _files() { :; }
    _describe() { local one; for one in "\${(@P)argv[-1]}"; do print -r -- "\${\${one//\\\\:/;}%%:*}"; done }
    eval "$(switchboard completion zsh)"
    while IFS= read -r line; do
      words=("\${(@s: :)line}"); CURRENT=\${#words}
      _switchboard < /dev/null; print -r -- ---
    done`,
  fish: `switchboard completion fish | source
    while read -l line
      complete -C $line < /dev/null | string replace -r '\\t.*' ''
      echo ---
    end`,
} as const;

type ShellName = keyof typeof ASK;

function isInstalled(shell: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => {
    try {
      execFileSync(join(folder, shell), ['-c', 'true'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', (name: ShellName) => {
  const itHere = isInstalled(name) ? it : it.skip;

  /** One shell is asked for all the lines: what it would offer for each. */
  const offers = async (lines: readonly string[]): Promise<string[][]> => {
    const bin = join(api.folder, `bin-${name}`);
    mkdirSync(bin);
    const wrapper = `#!/bin/sh\nexec '${process.execPath}' '${program('switchboard')}' "$@"\n`;
    writeFileSync(join(bin, 'switchboard'), wrapper, { mode: 0o700 });
    const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
    const env = { ...api.env, PATH: path, HOME: api.folder };
    const asked = promisify(execFile)(name, ['-c', ASK[name]], { env, cwd: api.folder });
    asked.child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
    const answers = (await asked).stdout.split('---\n').slice(0, -1);
    return answers.map((answer) => answer.split('\n').filter((word) => word !== ''));
  };

  itHere('offers what the program does for the word under the cursor, and nothing where that knows none', async () => {
    const { id } = await acceptRun(rig, 'deploy-vm', `web-${name}`);
    const [verbs, started, nested, flag, runs, value, none] = await offers([
      'switchboard ',
      'switchboard del',
      'switchboard profile us',
      'switchboard deploy-vm --pool ams1 --ssh-t',
      `switchboard watch ${id} ${id}`,
      'switchboard runs --state need',
      'switchboard --profile nowhere show 0',
    ]);
    expect(verbs).toEqual(expect.arrayContaining(['deploy-vm', 'watch', 'profile', 'completion']));
    expect(started).toEqual(['delete-vm']);
    expect(nested).toEqual(['use']);
    expect(flag).toEqual(['--ssh-timeout-seconds']);
    expect(runs).toEqual([id]);
    expect(value).toEqual(['needs-operator']);
    expect(none).toEqual([]);
  });
});
