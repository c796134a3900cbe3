#!/usr/bin/env node
/** The command line client: hands process and environment in, and nothing else. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../cli/program.ts';
import { readSecretText } from './secret-files.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';
const DEFAULT_TOKEN_FILE = join('.switchboard', 'token');
const USAGE = 2;

function findToken(env: NodeJS.ProcessEnv): string | undefined {
  if (env['SWITCHBOARD_TOKEN']) return env['SWITCHBOARD_TOKEN'];
  if (env['SWITCHBOARD_TOKEN_FILE']) return readSecretText(env['SWITCHBOARD_TOKEN_FILE']);
  return existsSync(DEFAULT_TOKEN_FILE) ? readSecretText(DEFAULT_TOKEN_FILE) : undefined;
}

function ctrlC(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

async function main(env: NodeJS.ProcessEnv): Promise<number> {
  let token: string | undefined;
  try {
    token = findToken(env);
  } catch (error) {
    process.stderr.write(`The token cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return USAGE;
  }
  const isTerminal = process.stdout.isTTY;
  return runCli(process.argv.slice(2), {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: isTerminal ? { columns: process.stdout.columns } : undefined,
    color: isTerminal && !env['NO_COLOR'],
    serverUrl: env['SWITCHBOARD_URL'] || DEFAULT_URL,
    token,
    interrupted: ctrlC(),
  });
}

process.exitCode = await main(process.env);
