#!/usr/bin/env node
/** The command line client: hands process and environment in, and nothing else. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Io, Settings } from '../cli/io.ts';
import { runCli } from '../cli/program.ts';
import { ProcessLabHost } from './rehearsal/lab-host.ts';
import { readSecretText } from './secret-files.ts';

const PACKAGE = new URL('../../package.json', import.meta.url);
const STDIN = 0;

function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  const configHome = env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return {
    url: env['SWITCHBOARD_URL'] || undefined,
    token: env['SWITCHBOARD_TOKEN'] || undefined,
    tokenFile: env['SWITCHBOARD_TOKEN_FILE'] || undefined,
    profile: env['SWITCHBOARD_PROFILE'] || undefined,
    configFile: join(configHome, 'switchboard', 'config.yaml'),
    localTokenFile: join('.switchboard', 'token'),
  };
}

/** https://no-color.org, and FORCE_COLOR for pipes that lead to a terminal in the end. */
function wantsColor(env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return process.stdout.isTTY && env['TERM'] !== 'dumb';
}

function ctrlC(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

/** The line that the person types; empty when they end the input or press Ctrl-C instead. */
async function askOnTerminal(question: string, interrupted: AbortSignal): Promise<string> {
  process.stderr.write(question);
  for await (const line of createInterface({ input: process.stdin, signal: interrupted })) return line;
  return '';
}

/** Asked each time: a person may resize the window. A terminal that does not know its size says 0. */
function terminal(): NonNullable<Io['terminal']> {
  return {
    get columns() {
      return process.stdout.columns || 80;
    },
    get rows() {
      return process.stdout.rows || 24;
    },
  };
}

function version(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}

function ioOf(env: NodeJS.ProcessEnv): Io {
  const interrupted = ctrlC();
  const canDraw = process.stdout.isTTY && env['TERM'] !== 'dumb';
  const somebodyIsThere = process.stdin.isTTY && process.stderr.isTTY;
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: canDraw ? terminal() : undefined,
    color: wantsColor(env),
    ask: somebodyIsThere ? (question) => askOnTerminal(question, interrupted) : undefined,
    readStdin: () => readFileSync(STDIN, 'utf8'),
    readSecret: readSecretText,
    lab: new ProcessLabHost(join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'switchboard')),
    settings: settingsFrom(env),
    version: version(),
    interrupted,
  };
}

// The reader of a pipe may have seen enough (`| head`): that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await runCli(process.argv.slice(2), ioOf(process.env));
