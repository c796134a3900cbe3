interface Plant {
  readonly what: string;
  readonly path: string;
  readonly text: string;
}

const lines = (count: number, line = '  total += 1;') => Array.from({ length: count }, () => line).join('\n');
const longFunction = `let total = 0;\n${lines(70)}\n  return total;`;

const RESTRICTED = 'no-restricted-imports';

const HANDLING: readonly (Plant & { readonly rule: string })[] = [
  {
    what: 'a promise nobody waits for',
    path: 'activities/floating.ts',
    text: 'async function later(): Promise<void> {\n  await Promise.resolve();\n}\nexport function now(): void {\n  later();\n}\n',
    rule: '@typescript-eslint/no-floating-promises',
  },
  {
    what: 'a promise where a plain answer is expected',
    path: 'activities/misused.ts',
    text: 'export const odd = (xs: number[]) => xs.filter(async (x) => (await Promise.resolve(x)) > 1);\n',
    rule: '@typescript-eslint/no-misused-promises',
  },
  {
    what: 'any',
    path: 'domain/explicit-any.ts',
    text: 'export type Loose = any;\n',
    rule: '@typescript-eslint/no-explicit-any',
  },
  {
    what: 'a loose comparison',
    path: 'domain/loose.ts',
    text: 'export const isOne = (a: number, b: number): boolean => a == b;\n',
    rule: 'eqeqeq',
  },
  {
    what: 'a switch that forgets a case',
    path: 'domain/forgets.ts',
    text: "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}\n",
    rule: '@typescript-eslint/switch-exhaustiveness-check',
  },
  {
    what: 'a suppressed type error',
    path: 'api/ignored-type.ts',
    text: "// @ts-expect-error: planted\nexport const one: number = 'one';\n",
    rule: 'house/no-suppression',
  },
  {
    what: 'a suppressed lint rule',
    path: 'api/ignored-lint.ts',
    text: '/* eslint-disable eqeqeq */\nexport const one = 1;\n',
    rule: 'house/no-suppression',
  },
  {
    what: 'code left out of the coverage',
    path: 'api/ignored-coverage.ts',
    text: '/* istanbul ignore next */\nexport const one = 1;\n',
    rule: 'house/no-suppression',
  },
];

const SHAPE: readonly (Plant & { readonly rule: string })[] = [
  {
    what: 'a function of more than 70 lines',
    path: 'api/long-function.ts',
    text: `export function long(): number {\n  ${longFunction}\n}\n`,
    rule: 'house/max-function-lines',
  },
  {
    what: 'a test of more than 70 lines',
    path: 'test/api/long.test.ts',
    text: `declare function it(what: string, body: () => number): void;\nit('is long', () => {\n  ${longFunction}\n});\n`,
    rule: 'house/max-function-lines',
  },
  {
    what: 'a file of more than 250 lines',
    path: 'api/long-file.ts',
    text: `${lines(251, '// padding')}\nexport const one = 1;\n`,
    rule: 'max-lines',
  },
  {
    what: 'a default export',
    path: 'cli/default-export.ts',
    text: 'export default function run(): void {}\n',
    rule: 'no-restricted-exports',
  },
];

const OUTSIDE: readonly (Plant & { readonly rule: string })[] = [
  ['the clock in domain', 'domain/clock.ts', 'export const now = (): number => Date.now();', 'no-restricted-syntax'],
  ['the time of now in domain', 'domain/now.ts', 'export const now = (): Date => new Date();', 'no-restricted-syntax'],
  ['chance in domain', 'domain/chance.ts', 'export const dice = (): number => Math.random();', 'no-restricted-syntax'],
  [
    'a timer in domain',
    'domain/timer.ts',
    'export const t = (f: () => void) => setTimeout(f, 1);',
    'no-restricted-globals',
  ],
  ['a Node module in domain', 'domain/reads.ts', "export { readFileSync } from 'node:fs';", RESTRICTED],
  ['a Node module in workflows', 'workflows/node.ts', "export { join } from 'node:path';", RESTRICTED],
  ['an old-style Node module in workflows', 'workflows/fs.ts', "export { readFileSync } from 'fs';", RESTRICTED],
  ['zod in workflows', 'workflows/zod.ts', "export { z } from 'zod';", RESTRICTED],
  ['the client in workflows', 'workflows/client.ts', "export { Client } from '@temporalio/client';", RESTRICTED],
  ['the worker in workflows', 'workflows/worker.ts', "export { Worker } from '@temporalio/worker';", RESTRICTED],
  ['activity context in workflows', 'workflows/ctx.ts', "export { Context } from '@temporalio/activity';", RESTRICTED],
  ['the process in workflows', 'workflows/process.ts', 'export const id = () => process.pid;', 'no-restricted-globals'],
  [
    'performance in workflows',
    'workflows/perf.ts',
    'export const t = () => performance.now();',
    'no-restricted-globals',
  ],
  [
    'a race in workflows',
    'workflows/race.ts',
    'export const first = (a: Promise<number>, b: Promise<number>) => Promise.race([a, b]);',
    'no-restricted-syntax',
  ],
  [
    'the environment in adapters',
    'adapters/ssh/env.ts',
    'export const e = () => process.env.HOME;',
    'no-restricted-properties',
  ],
  ['the environment by import', 'api/env.ts', "export { env } from 'node:process';", RESTRICTED],
  ['the environment in the lab', 'lab/env.ts', 'export const e = () => process.env.HOME;', 'no-restricted-properties'],
  ['ssh2 outside its adapter', 'adapters/xapi/ssh.ts', "export { Client } from 'ssh2';", RESTRICTED],
  ['ssh2 in a step', 'activities/vm/ssh.ts', "export { Client } from 'ssh2';", RESTRICTED],
  ['ssh2 in the lab but in its guests', 'lab/ssh.ts', "export { Client } from 'ssh2';", RESTRICTED],
  ['xen-api outside its adapter', 'adapters/temporal/xen.ts', "export { createClient } from 'xen-api';", RESTRICTED],
  ['xen-api in the API', 'api/xen.ts', "export { createClient } from 'xen-api';", RESTRICTED],
  ['xen-api in the lab', 'lab/xen.ts', "export { createClient } from 'xen-api';", RESTRICTED],
  ['xen-api in a composition root', 'bin/xen.ts', "export { createClient } from 'xen-api';", RESTRICTED],
  ['PostgreSQL in a step', 'activities/vm/sql.ts', "export { sql } from 'kysely';", RESTRICTED],
  ['Temporal in the CLI', 'cli/temporal.ts', "export { Client } from '@temporalio/client';", RESTRICTED],
].map(([what = '', path = '', text = '', rule = '']) => ({ what, path, text: `${text}\n`, rule }));

export const PLANTED = [...HANDLING, ...SHAPE, ...OUTSIDE];

export const CLEAN: readonly Plant[] = [
  { what: 'ssh2 in its adapter', path: 'adapters/ssh/probe.ts', text: "export { Client } from 'ssh2';\n" },
  { what: 'ssh2 in the guests of the lab', path: 'lab/guests/service.ts', text: "export { Server } from 'ssh2';\n" },
  { what: 'the environment in bin', path: 'bin/config.ts', text: 'export const home = process.env.HOME;\n' },
  { what: 'zod in domain', path: 'domain/operations.ts', text: "export { z } from 'zod';\n" },
  { what: 'the SDK in workflows', path: 'workflows/sleep.ts', text: "export { sleep } from '@temporalio/workflow';\n" },
  {
    what: 'a function of 70 lines',
    path: 'api/full.ts',
    text: `export function full(): number {\n  let n = 0;\n${lines(66, '  n += 1;')}\n  return n;\n}\n`,
  },
  {
    what: 'a long chapter of short tests',
    path: 'test/api/chapter.test.ts',
    text: `declare function describe(what: string, body: () => void): void;\ndescribe('a', () => {\n${lines(80, '  // a test')}\n});\n`,
  },
];
