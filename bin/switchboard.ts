#!/usr/bin/env node
/** The command line client: hands process and environment in, and nothing else. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runCli } from '../cli/program.ts';
import { ioFrom, stateFolder } from '../cli/surroundings.ts';
import { ProcessLabHost } from './rehearsal/lab-host.ts';
import { readSecretText } from './secret-files.ts';

const PACKAGE = new URL('../../package.json', import.meta.url);
const LAB = fileURLToPath(new URL('lab.js', import.meta.url));
const STDIN = 0;

function ctrlC(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

function version(): string {
  return (JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }).version;
}

const { env, stdin, stdout, stderr } = process;
const home = homedir();

// The reader of a pipe may have seen enough (`| head`): that is no failure of ours.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await runCli(
  process.argv.slice(2),
  ioFrom({
    ...{ env, home, stdin, stdout, stderr },
    folder: process.cwd(),
    readStdin: () => readFileSync(STDIN, 'utf8'),
    readSecret: readSecretText,
    lab: new ProcessLabHost(LAB, stateFolder(env, home)),
    version: version(),
    interrupted: ctrlC(),
  }),
);
