import { randomBytes, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities } from '../../activities/index.ts';
import { migrate, openDatabase } from '../../adapters/postgres/database.ts';
import { RunStore } from '../../adapters/postgres/run-store.ts';
import type { RunRow } from '../../adapters/postgres/rows.ts';
import { Vault } from '../../adapters/postgres/vault.ts';
import { openTemporal } from '../../adapters/temporal/connect.ts';
import { Engine } from '../../adapters/temporal/engine.ts';
import type { PoolSettings } from '../../adapters/xapi/xapi.ts';
import { openWorkerDeps } from '../../bin/worker-deps.ts';
import { startRun } from '../../api/start-run.ts';
import { parseStart } from '../../api/validate.ts';
import type { OperationName } from '../../domain/operations.ts';
import { isEnded } from '../../domain/run.ts';
import type { RunState, Timing } from '../../domain/run.ts';
import { startLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import type { LabOptions } from '../../lab/start-pool.ts';
import { createTestDatabase, createTestNamespace, testTemporalAddress } from './stack.ts';
import { coverWorkflows } from './workflow-coverage.ts';
import { eventually } from './eventually.ts';

/** Short by input: what takes minutes in life takes a second here. Budgets are wide, so that a slow machine fails nothing. */
const TEST_TIMING: Timing = {
  stepBudgetMs: 30_000,
  slowStepBudgetMs: 30_000,
  undoBudgetMs: 3_000,
  heartbeatTimeoutMs: 3_000,
  firstRetryMs: 50,
};

/** Guests of the lab answer SSH above the ports that need root. */
const LAB_SSH_PORT = 2222;

/** A whole installation for one test file: lab, database, namespace, worker, and the front's own functions. */
export interface Site {
  readonly lab: Lab;
  readonly store: RunStore;
  readonly engine: Engine;
  readonly temporal: Client;
  readonly databaseUrl: string;
  readonly secretsKey: Buffer;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly pools: readonly PoolSettings[];
  /** Asks for an operation as the API does. */
  request(operation: OperationName, input: Record<string, unknown>, timing?: Partial<Timing>): Promise<RunRow>;
  /** Waits for the run to end. */
  ended(runId: string): Promise<RunRow>;
  reaches(runId: string, state: RunState): Promise<RunRow>;
  /** Ends the worker in order, in the middle of its steps, and starts another. */
  replaceWorker(): Promise<void>;
  stop(): Promise<void>;
}

export interface SiteOptions {
  readonly lab?: LabOptions;
  /** Without it the test starts workers itself. */
  readonly worker?: boolean;
  /** Reaches PostgreSQL for the worker by another way, e.g. a fault proxy. */
  readonly workerDatabaseUrl?: (url: string) => Promise<string>;
  readonly pools?: (pools: readonly PoolSettings[]) => readonly PoolSettings[];
  readonly workflowsPath?: string;
  readonly activities?: typeof createActivities;
}

/** Failures are what these tests are about: the SDK's warnings about each would drown what matters. */
Runtime.install({ logger: new DefaultLogger('ERROR') });

export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const [lab, database, namespace] = await Promise.all([
    startLab(options.lab),
    createTestDatabase(),
    createTestNamespace(),
  ]);
  await migrate(database.url);
  const secretsKey = randomBytes(32);
  const taskQueue = `test-${randomUUID()}`;
  const open = openDatabase(database.url);
  const temporal = openTemporal({ namespace, connectionOptions: { address: testTemporalAddress() } });
  const store = new RunStore(open.db, new Vault(secretsKey));
  const engine = new Engine(temporal, { taskQueue });
  const labPools = poolSettingsOf(lab);
  const pools = options.pools?.(labPools) ?? labPools;
  const workerDatabaseUrl = (await options.workerDatabaseUrl?.(database.url)) ?? database.url;
  const newWorker = () =>
    startWorker({ namespace, taskQueue, databaseUrl: workerDatabaseUrl, secretsKey, pools }, options);
  let stopWorker = options.worker === false ? () => Promise.resolve() : await newWorker();

  const get = async (runId: string) => {
    const run = await store.get(runId);
    if (run === undefined) throw new Error(`there is no run ${runId}`);
    return run;
  };
  return {
    ...{ lab, store, engine, temporal, databaseUrl: database.url, secretsKey, namespace, taskQueue, pools },
    request: (operation, input, timing) => request({ store, engine }, operation, input, { ...TEST_TIMING, ...timing }),
    ended: (runId) =>
      eventually(
        () => get(runId),
        (run) => isEnded(run.state),
        `run ${runId} ends`,
      ),
    reaches: (runId, state) =>
      eventually(
        () => get(runId),
        (run) => run.state === state,
        `run ${runId} is ${state}`,
      ),
    replaceWorker: async () => {
      await stopWorker();
      stopWorker = await newWorker();
    },
    stop: async () => {
      await stopWorker();
      await temporal.connection.close();
      await open.close();
      await lab.close();
      await database.drop();
    },
  };
}

function poolSettingsOf(lab: Lab): PoolSettings[] {
  return lab.pools.map((pool) => ({
    id: pool.id,
    addresses: pool.hostAddresses,
    port: pool.port,
    tls: { mode: 'none' },
    user: pool.user,
    password: pool.password,
    guestSshPort: LAB_SSH_PORT,
  }));
}

function request(
  { store, engine }: Pick<Site, 'store' | 'engine'>,
  operation: OperationName,
  input: Record<string, unknown>,
  timing: Timing,
): Promise<RunRow> {
  const logger = pino({ level: 'silent' });
  const deps = { store, engine, logger, timing, authenticate: () => undefined };
  return startRun(deps, { name: 'tester' }, randomUUID(), parseStart({ operation, input }));
}

interface WorkerSettings {
  readonly namespace: string;
  readonly taskQueue: string;
  readonly databaseUrl: string;
  readonly secretsKey: Buffer;
  readonly pools: readonly PoolSettings[];
}

async function startWorker(settings: WorkerSettings, options: SiteOptions): Promise<() => Promise<void>> {
  const workflowsPath = options.workflowsPath ?? fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  const covered = await coverWorkflows(workflowsPath);
  const connection = await NativeConnection.connect({ address: testTemporalAddress() });
  const open = openWorkerDeps(settings, `test/${process.pid}`);
  const worker = await Worker.create(
    covered.workerOptions({
      connection,
      namespace: settings.namespace,
      taskQueue: settings.taskQueue,
      activities: (options.activities ?? createActivities)(open.deps),
      maxCachedWorkflows: 200,
      maxHeartbeatThrottleInterval: '200 milliseconds',
    }),
  );
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    covered.mergeCoverage();
    await open.close();
    await connection.close();
  };
}
