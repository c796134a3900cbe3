import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const written = readFileSync(join(root, 'Dockerfile'), 'utf8');
const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');

interface Instruction {
  readonly word: string;
  readonly rest: string;
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  return lines
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => ({ word: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1) }));
}

function faultsOf(text: string): string[] {
  const all = instructionsOf(text);
  const of = (word: string) => all.filter((one) => one.word === word).map(({ rest }) => rest);
  const last = all.slice(all.findLastIndex(({ word }) => word === 'FROM'));
  const lastOf = (word: string) => last.filter((one) => one.word === word).map(({ rest }) => rest);
  const copied = of('COPY')
    .filter((rest) => !rest.startsWith('--from='))
    .flatMap((rest) => rest.split(' ').slice(0, -1));
  const program = (JSON.parse(lastOf('CMD')[0] ?? '[""]') as string[])[0] ?? '';
  const entry = (JSON.parse(lastOf('ENTRYPOINT')[0] ?? '[""]') as string[]).at(-1) ?? '';
  return [
    ...of('FROM')
      .filter((rest) => !/:\d+\.\d+\.\d+-/.test(rest))
      .map((rest) => `not pinned: ${rest}`),
    ...copied.filter((path) => path !== '.' && !existsSync(join(root, path))).map((path) => `not there: ${path}`),
    ...copied.filter((path) => path !== '.' && !isSent(path)).map((path) => `kept back by .dockerignore: ${path}`),
    ...(lastOf('USER')[0] === 'node' ? [] : ['runs as root']),
    ...(existsSync(join(root, entry)) ? [] : [`no entry point ${entry}`]),
    ...(existsSync(join(root, program.replace(/^dist\//, '').replace(/js$/, 'ts'))) ? [] : [`no program ${program}`]),
    ...(of('RUN').every((rest) => !/npm (ci|install)/.test(rest) || rest.includes('--ignore-scripts'))
      ? []
      : ['install scripts are run']),
  ];
}

function isSent(path: string): boolean {
  return ignored.includes(`!${path.split('/')[0]}`);
}

describe('the Dockerfile', () => {
  it('builds from what is there and starts what it built', () => {
    expect(faultsOf(written)).toEqual([]);
  });

  it('serves on the port of the API', () => {
    const port = /SWITCHBOARD_API_PORT: .*default\((\d+)\)/.exec(
      readFileSync(join(root, 'bin/config.ts'), 'utf8'),
    )?.[1];
    expect(instructionsOf(written)).toContainEqual({ word: 'EXPOSE', rest: port });
  });

  it.each([
    ['a moving base image', 'node:22.20.0-bookworm-slim', 'node:latest', 'not pinned'],
    ['root as its user', 'USER node', 'USER root', 'runs as root'],
    ['a program that is not there', 'dist/bin/api.js', 'dist/bin/server.js', 'no program'],
    ['an entry point that is not there', '"deploy/run-with-database.sh"]', '"deploy/run.sh"]', 'no entry point'],
    ['a file that is not there', 'COPY package.json LICENSE', 'COPY package.json LICENCE', 'not there'],
    ['install scripts', '--omit=optional --ignore-scripts', '--omit=optional', 'install scripts'],
  ])('is refused with %s', (_what, from, to, fault) => {
    expect(written).toContain(from);
    expect(faultsOf(written.replaceAll(from, to))).toContainEqual(expect.stringContaining(fault));
  });
});
