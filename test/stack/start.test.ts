import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { anyFreePort } from '../../bin/stack/ports.ts';
import { removePostgresHome } from '../../bin/stack/postgres-home.ts';
import { identityOf } from '../../bin/stack/process-identity.ts';
import { compileStart, projectRoot } from './compiled-start.ts';
import { until } from './fake-parts.ts';
import { Program } from './program.ts';

const pidSchema = z.looseObject({ pid: z.number() });
const partNames = ['api', 'database', 'lab', 'temporal', 'worker'];

describe('start', () => {
  let folder: string;
  let cliPath: string;
  let env: NodeJS.ProcessEnv;
  let running: Program[];

  beforeAll(() => {
    cliPath = execFileSync(process.execPath, [join(projectRoot, 'bin/tools/print-temporal-cli.js')], {
      env: { ...process.env, TEMPORAL_ADDRESS: '' },
      encoding: 'utf8',
    }).trim();
    folder = compileStart();
  });

  beforeEach(async () => {
    running = [];
    env = { PATH: process.env['PATH'], HOME: process.env['HOME'], TEMPORAL_CLI_PATH: cliPath };
    for (const name of ['API', 'TEMPORAL', 'TEMPORAL_UI', 'POSTGRES', 'LAB', 'LAB_CONTROL']) {
      env[`SWITCHBOARD_${name}_PORT`] = String(await anyFreePort());
    }
  });

  afterEach(async () => {
    for (const program of running) await program.end('SIGTERM');
  });

  afterAll(() => {
    removePostgresHome(stateDir());
    rmSync(folder, { recursive: true });
  });

  const stateDir = () => join(folder, '.switchboard');

  const start = (...args: string[]) => {
    const program = new Program([join(folder, 'bin/start.js'), ...args], folder, env);
    running.push(program);
    return program;
  };

  const recordedPid = (part: string) =>
    pidSchema.parse(JSON.parse(readFileSync(join(stateDir(), 'pids', `${part}.json`), 'utf8'))).pid;
  const recordedPids = () => partNames.map(recordedPid);

  const query = async (sql: string): Promise<unknown[]> => {
    const password = readFileSync(join(stateDir(), 'secrets/postgres-password'), 'utf8').trim();
    const port = Number(env['SWITCHBOARD_POSTGRES_PORT']);
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'switchboard', database: 'switchboard', password });
    await client.connect();
    try {
      const { rows }: { rows: unknown[] } = await client.query(sql);
      return rows;
    } finally {
      await client.end();
    }
  };

  it('brings everything up, says where it is, and leaves no process after Ctrl-C, even when it comes twice', async () => {
    const program = start();
    await program.says('Ctrl-C stops everything.');
    const pids = recordedPids();
    expect(pids.map((pid) => identityOf(pid)?.pid)).toEqual(pids);
    expect(program.said).toContain(`http://127.0.0.1:${env['SWITCHBOARD_API_PORT']}`);
    expect(readFileSync(join(stateDir(), 'token'), 'utf8')).toMatch(/^swb_[\w-]{43}\n$/);
    expect(statSync(join(stateDir(), 'token')).mode & 0o777).toBe(0o600);
    program.child.kill('SIGINT');
    expect(await program.end('SIGINT')).toBe(0);
    expect(pids.map(identityOf)).toEqual(partNames.map(() => undefined));
    expect(readdirSync(join(stateDir(), 'pids'))).toEqual([]);
  });

  it('ends what a killed supervisor left behind, and keeps the data', async () => {
    const first = start();
    await first.says('Ctrl-C stops everything.');
    await query('CREATE TABLE survivors (name text)');
    await query(`INSERT INTO survivors VALUES ('before the kill')`);
    const leftovers = recordedPids();
    await first.end('SIGKILL');
    expect(leftovers.map((pid) => identityOf(pid)?.pid)).toEqual(leftovers);
    const second = start();
    await second.says('Ctrl-C stops everything.');
    expect(leftovers.map(identityOf)).toEqual(partNames.map(() => undefined));
    for (const part of partNames) expect(second.said).toContain(`Ended ${part} (pid `);
    expect(await query('SELECT name FROM survivors')).toEqual([{ name: 'before the kill' }]);
  });

  it('starts PostgreSQL again after kill -9, with all that was committed', async () => {
    const program = start();
    await program.says('Ctrl-C stops everything.');
    await query('CREATE TABLE committed (name text)');
    process.kill(recordedPid('database'), 'SIGKILL');
    await program.says('database died (SIGKILL) and was started again');
    expect(await query('SELECT name FROM committed')).toEqual([]);
  });

  it('forgets the data of earlier runs with --fresh', async () => {
    const program = start('--fresh');
    await program.says('Ctrl-C stops everything.');
    const tables = await query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public'`);
    expect(tables).toEqual([]);
  });

  it('refuses a state folder that is in use, and does not disturb its owner', async () => {
    const first = start();
    await first.says('Ctrl-C stops everything.');
    const second = start();
    await second.says(`in use by another Switchboard (pid ${first.child.pid})`);
    await until(() => second.child.exitCode === 1);
    expect(recordedPids().map((pid) => identityOf(pid)?.pid)).toEqual(recordedPids());
  });

  it('names a port that is taken and the variable that changes it, before anything is started', async () => {
    const server = createServer().listen(Number(env['SWITCHBOARD_LAB_PORT']), '127.0.0.1');
    const program = start();
    await program.says(`Port ${env['SWITCHBOARD_LAB_PORT']} on 127.0.0.1, meant for the lab's pool, is taken`);
    await program.says('set SWITCHBOARD_LAB_PORT to a free port.\nNothing was started.');
    await until(() => program.child.exitCode === 1);
    server.close();
    expect(readdirSync(join(stateDir(), 'pids'))).toEqual([]);
  });

  it('uses a database and a Temporal server that are given, and starts none of its own', async () => {
    env['DATABASE_URL'] = process.env['SWITCHBOARD_TEST_DATABASE_URL'];
    env['TEMPORAL_ADDRESS'] = process.env['SWITCHBOARD_TEST_TEMPORAL_ADDRESS'];
    const program = start();
    await program.says('Ctrl-C stops everything.');
    expect(readdirSync(join(stateDir(), 'pids')).sort()).toEqual(['api.json', 'lab.json', 'worker.json']);
  });

  it('says what is wrong with a database that is given and does not answer', async () => {
    env['DATABASE_URL'] = `postgres://someone:hidden@127.0.0.1:${await anyFreePort()}/ops`;
    const program = start();
    await program.says('database ops) does not answer: connect ECONNREFUSED');
    await until(() => program.child.exitCode === 1);
    expect(program.said).not.toContain('hidden');
  });
});
