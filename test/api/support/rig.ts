import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { migrate, openDatabase } from '../../../adapters/postgres/database.ts';
import { EventFeed } from '../../../adapters/postgres/event-feed.ts';
import { Ledger } from '../../../adapters/postgres/ledger.ts';
import { RunLog } from '../../../adapters/postgres/run-log.ts';
import { RunStore } from '../../../adapters/postgres/run-store.ts';
import { TokenStore } from '../../../adapters/postgres/token-store.ts';
import { Wakes } from '../../../adapters/postgres/wakes.ts';
import { Vault } from '../../../adapters/postgres/vault.ts';
import { openTemporal } from '../../../adapters/temporal/connect.ts';
import { Engine } from '../../../adapters/temporal/engine.ts';
import { Reconciler } from '../../../adapters/temporal/reconciler.ts';
import { createApp } from '../../../api/app.ts';
import type { ApiDeps } from '../../../api/context.ts';
import { STREAM_LIMITS } from '../../../api/event-stream.ts';
import type { StreamLimits } from '../../../api/event-stream.ts';
import { listen } from '../../../api/server.ts';
import { StreamGate } from '../../../api/stream-gate.ts';
import { DEFAULT_TIMING } from '../../../domain/run.ts';
import { createTestDatabase, createTestNamespace, testTemporalAddress } from '../../support/stack.ts';
import { standInActivities } from './stand-in-activities.ts';

const TASK_QUEUE = 'switchboard';
export const TOKEN = 'swb_token-of-the-test-operator';
/** Nothing listens on the discard port of loopback. */
const NOWHERE = '127.0.0.1:9';

/** A real API over a real PostgreSQL and a real Temporal; the runbooks are stand-ins. */
export type Rig = Awaited<ReturnType<typeof openRig>>;

export async function openRig() {
  const [database, namespace] = await Promise.all([createTestDatabase(), createTestNamespace()]);
  await migrate(database.url);
  const opened = openDatabase(database.url);
  const { db } = opened;
  const client = temporalClient(testTemporalAddress(), namespace);
  const closings: (() => Promise<unknown>)[] = [
    () => database.drop(),
    () => opened.close(),
    () => client.connection.close(),
  ];
  const wakes = new Wakes(database.url, { report: () => undefined });
  wakes.start();
  closings.push(() => wakes.close());
  const vault = new Vault(randomBytes(32));
  const store = new RunStore(db, vault);
  const tokens = new TokenStore(db);
  await tokens.adopt('operator', 'admin', TOKEN);
  const rig = {
    db,
    vault,
    store,
    wakes,
    tokens,
    feed: new EventFeed(db),
    client,
    databaseUrl: database.url,
    namespace,
    engine: engineOf(client),
    log: new RunLog(db),
    ledger: new Ledger(db),
    /** What the API logged, as text. */
    logged: [] as string[],
    onClose: (closing: () => Promise<unknown>) => void closings.push(closing),
    close: async () => {
      for (const closing of closings.toReversed()) await closing();
    },
  };
  return rig;
}

/** Temporal as it looks while it is away. */
export function engineNowhere(rig: Rig): Engine {
  const client = temporalClient(NOWHERE, rig.namespace);
  rig.onClose(() => client.connection.close());
  return engineOf(client);
}

/** A store whose database is away. */
export function storeNowhere(rig: Rig): RunStore {
  const away = openDatabase(`postgresql://nobody@${NOWHERE}/none`);
  rig.onClose(() => away.close());
  return new RunStore(away.db, rig.vault);
}

/** A store whose database nobody has migrated. */
export async function storeWithoutTables(rig: Rig): Promise<RunStore> {
  const empty = await createTestDatabase();
  const opened = openDatabase(empty.url);
  rig.onClose(async () => {
    await opened.close();
    await empty.drop();
  });
  return new RunStore(opened.db, rig.vault);
}

interface ApiParts extends Partial<
  Pick<ApiDeps, 'engine' | 'store' | 'wakes' | 'feed' | 'tokens' | 'ratePerMinute' | 'onRequest'>
> {
  readonly limits?: StreamLimits;
}

/** Serves the API until the rig closes; answers its address. */
export async function serveApi(rig: Rig, parts: ApiParts = {}): Promise<string> {
  const logger = pino({}, { write: (line: string) => void rig.logged.push(line) });
  const { limits = STREAM_LIMITS, ratePerMinute = 1_000_000, ...others } = parts;
  const streams = { gate: new StreamGate(limits), limits };
  const deps = {
    onRequest: () => undefined,
    ...rig,
    ...others,
    streams,
    ratePerMinute,
    logger,
    timing: DEFAULT_TIMING,
  };
  const server = await listen(createApp(deps), { host: '127.0.0.1', port: 0 });
  rig.onClose(() => server.drain(2_000));
  return server.url;
}

/** The rig and the served API of a test file; both go with its last test. */
export async function openApi(): Promise<{ rig: Rig; api: string }> {
  const rig = await openRig();
  afterAll(() => rig.close());
  return { rig, api: await serveApi(rig) };
}

/** A reconciler that gives requests no time of their own; what it reports is collected. */
export function reconcilerOf(rig: Rig, troubles: unknown[] = []): Reconciler {
  return new Reconciler(rig.store, rig.engine, DEFAULT_TIMING, {
    intervalMs: 50,
    openIntervalMs: 50,
    graceMs: 0,
    report: (trouble) => void troubles.push(trouble),
  });
}

/** Works for the stand-in runbooks until the rig closes, or until the answered function is called. */
export async function startStandInWorker(rig: Rig): Promise<() => Promise<void>> {
  quietRuntime();
  const connection = await NativeConnection.connect({ address: testTemporalAddress() });
  const options: WorkerOptions = {
    connection,
    namespace: rig.namespace,
    taskQueue: TASK_QUEUE,
    workflowsPath: fileURLToPath(new URL('stand-in-workflows.ts', import.meta.url)),
    activities: standInActivities(rig.log, rig.ledger),
  };
  const worker = await Worker.create(options);
  const ended = worker.run();
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= (async () => {
      worker.shutdown();
      await ended;
      await connection.close();
    })());
  rig.onClose(stop);
  return stop;
}

function quietRuntime(): void {
  if (Runtime._instance === undefined) Runtime.install({ logger: new DefaultLogger('WARN') });
}

function temporalClient(address: string, namespace: string): Client {
  return openTemporal({ connectionOptions: { address }, namespace });
}

function engineOf(client: Client): Engine {
  return new Engine(client, { taskQueue: TASK_QUEUE, uiUrl: 'http://temporal.example:8233/' });
}
