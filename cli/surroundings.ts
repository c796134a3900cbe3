import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Io, Settings } from './io.ts';

/** What can be written to, and whether a person sees it at once. */
interface Output {
  readonly isTTY?: boolean;
  /** Undefined or 0 where it is not known. */
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** A process as far as a command line needs one: the program hands in its own. */
export interface Surroundings extends Pick<
  Io,
  'folder' | 'readStdin' | 'readSecret' | 'lab' | 'version' | 'interrupted'
> {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home folder of the person. */
  readonly home: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Where the person's other files of this kind are kept: XDG_STATE_HOME, or its default. */
export function stateFolder(env: Surroundings['env'], home: string): string {
  return join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'switchboard');
}

export function ioFrom(surroundings: Surroundings): Io {
  const { env, stdin, stdout, stderr, interrupted } = surroundings;
  const { folder, readStdin, readSecret, lab, version } = surroundings;
  const isDumb = env['TERM'] === 'dumb';
  const canDraw = stdout.isTTY === true && !isDumb;
  const somebodyIsThere = stdin.isTTY === true && stderr.isTTY === true;
  return {
    ...{ folder, readStdin, readSecret, lab, version, interrupted },
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    terminal: canDraw ? terminalOf(stdout) : undefined,
    color: wantsColor(env) ?? canDraw,
    ask: somebodyIsThere ? (question) => ask(surroundings, question) : undefined,
    settings: settingsFrom(surroundings),
  };
}

function settingsFrom({ env, home, folder }: Surroundings): Settings {
  const configHome = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const tokenFile = env['SWITCHBOARD_TOKEN_FILE'] || undefined;
  return {
    url: env['SWITCHBOARD_URL'] || undefined,
    token: env['SWITCHBOARD_TOKEN'] || undefined,
    tokenFile: tokenFile === undefined ? undefined : resolve(folder, tokenFile),
    profile: env['SWITCHBOARD_PROFILE'] || undefined,
    configFile: join(configHome, 'switchboard', 'config.yaml'),
    localTokenFile: join(folder, '.switchboard', 'token'),
  };
}

/** https://no-color.org, and FORCE_COLOR for pipes that lead to a terminal in the end; undefined when neither is said. */
function wantsColor(env: Surroundings['env']): boolean | undefined {
  if (env['NO_COLOR']) return false;
  return env['FORCE_COLOR'] ? env['FORCE_COLOR'] !== '0' : undefined;
}

/** Asked each time: a person may resize the window. */
function terminalOf(stdout: Output): NonNullable<Io['terminal']> {
  return {
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
  };
}

/** The line that the person types; empty when they end the input or press Ctrl-C instead. */
async function ask({ stdin, stderr, interrupted }: Surroundings, question: string): Promise<string> {
  stderr.write(question);
  for await (const line of createInterface({ input: stdin, signal: interrupted })) return line;
  return '';
}
