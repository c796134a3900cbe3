import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { acceptRun } from '../api/support/accept-run.ts';
import type { Rig } from '../api/support/rig.ts';
import { openRig } from '../api/support/rig.ts';
import type { ApiProcess } from './support/processes.ts';
import { program, Shell, startApiProcess } from './support/processes.ts';

/** How each shell is asked for what it would offer for `$1`, the last word of which is being typed. */
const ASK = {
  bash: `eval "$(switchboard completion bash)"
    read -ra COMP_WORDS <<< "$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    $(complete -p switchboard | sed 's/.*-F \\([^ ]*\\).*/\\1/')
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  // Its completion system works at a terminal only: the functions that offer are replaced by ones that tell.
  zsh: `compdef() { :; }; _files() { :; }
    _describe() { local one; for one in "\${(@P)argv[-1]}"; do print -r -- "\${\${one//\\\\\\\\:/;}%%:*}"; done }
    eval "$(switchboard completion zsh)"
    words=("\${(@s: :)1}"); CURRENT=\${#words}
    _switchboard`,
  fish: `switchboard completion fish | source; complete -C $argv[1] | string replace -r '\\t.*' ''; true`,
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
  let rig: Rig;
  let api: ApiProcess;
  let env: Record<string, string>;

  beforeAll(async () => {
    rig = await openRig();
    api = await startApiProcess(rig);
    const bin = join(api.folder, 'bin');
    mkdirSync(bin);
    const wrapper = `#!/bin/sh\nexec '${process.execPath}' '${program('switchboard')}' "$@"\n`;
    writeFileSync(join(bin, 'switchboard'), wrapper, { mode: 0o700 });
    const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;
    env = { ...new Shell(api).env, PATH: path, HOME: api.folder };
  });

  afterAll(() => rig.close());

  const offers = (line: string): string[] => {
    const last = name === 'fish' ? [line] : [name, line];
    const text = execFileSync(name, ['-c', ASK[name], ...last], { env, encoding: 'utf8', cwd: api.folder });
    return text.split('\n').filter((word) => word !== '');
  };

  itHere('offers the verbs: operations, answers to runs, profiles', () => {
    expect(offers('switchboard ')).toEqual(expect.arrayContaining(['deploy-vm', 'watch', 'profile', 'completion']));
    expect(offers('switchboard del')).toEqual(['delete-vm']);
    expect(offers('switchboard profile us')).toEqual(['use']);
  });

  itHere('offers flags, made from the input of the operation', () => {
    expect(offers('switchboard deploy-vm --me')).toEqual(['--memory-mib']);
    expect(offers('switchboard deploy-vm --pool ams1 --ssh-t')).toEqual(['--ssh-timeout-seconds']);
  });

  itHere('offers values where it knows them', () => {
    expect(offers('switchboard runs --operation d').toSorted()).toEqual(['delete-vm', 'deploy-vm']);
    expect(offers('switchboard runs --state need')).toEqual(['needs-operator']);
    expect(offers('switchboard completion z')).toEqual(['zsh']);
  });

  itHere('offers recent runs where a run is meant, and only those that an answer fits', async () => {
    const { id } = await acceptRun(rig, 'deploy-vm', 'web-01');
    expect(offers('switchboard show ')).toEqual([id]);
    expect(offers(`switchboard watch ${id} ${id.slice(0, 4)}`)).toEqual([id]);
    expect(offers('switchboard retry ')).not.toContain(id);
  });

  itHere('offers profiles where one is named', async () => {
    await new Shell(api).run(['profile', 'add', 'prod', '--url', 'https://ops.example.net']);
    expect(offers('switchboard runs --profile p')).toEqual(['prod']);
    expect(offers('switchboard profile use p')).toEqual(['prod']);
  });

  itHere('stays silent when the server is away', () => {
    env = { ...env, SWITCHBOARD_URL: 'http://127.0.0.1:9' };
    expect(offers('switchboard show 0')).toEqual([]);
  });
});
