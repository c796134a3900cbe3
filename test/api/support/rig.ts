import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import { pino } from 'pino';
import { migrate, openDatabase } from '../../../adapters/postgres/database.ts';
import { Ledger } from '../../../adapters/postgres/ledger.ts';
import { RunLog } from '../../../adapters/postgres/run-log.ts';
import { RunStore } from '../../../adapters/postgres/run-store.ts';
import { Vault } from '../../../adapters/postgres/vault.ts';
import { openTemporal } from '../../../adapters/temporal/connect.ts';
import { Engine } from '../../../adapters/temporal/engine.ts';
import { Reconciler } from '../../../adapters/temporal/reconciler.ts';
import { createApp } from '../../../api/app.ts';
import { tokenAuthenticator } from '../../../api/authenticate.ts';
import { listen } from '../../../api/server.ts';
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
  const vault = new Vault(randomBytes(32));
  const store = new RunStore(db, vault);
  const rig = {
    db,
    vault,
    store,
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

/** Serves the API until the rig closes; answers its address. */
export async function serveApi(rig: Rig, parts: { engine?: Engine; store?: RunStore } = {}): Promise<string> {
  const logger = pino({}, { write: (line: string) => void rig.logged.push(line) });
  const authenticate = tokenAuthenticator([
    { name: 'somebody else', token: `swb_${randomUUID()}` },
    { name: 'operator', token: TOKEN },
  ]);
  const { store, engine } = { ...rig, ...parts };
  const server = await listen(createApp({ store, engine, authenticate, logger, timing: DEFAULT_TIMING }), {
    host: '127.0.0.1',
    port: 0,
  });
  rig.onClose(() => server.drain(2_000));
  return server.url;
}

/** A reconciler that gives requests no time of their own; what it reports is collected. */
export function reconcilerOf(rig: Rig, troubles: unknown[] = []): Reconciler {
  return new Reconciler(rig.store, rig.engine, DEFAULT_TIMING, {
    intervalMs: 50,
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
