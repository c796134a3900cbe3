import { afterEach, beforeEach } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import type { LabOptions } from '../../../lab/start-pool.ts';
import { startLab } from '../../../lab/lab.ts';
import type { PoolScenario } from '../../../lab/scenario.ts';
import { connectXenApi, leave } from '../full-xen-api.ts';

type Client = Awaited<ReturnType<typeof connectXenApi>>;

interface ProductLab {
  readonly lab: () => Lab;
  readonly call: <T = string>(method: string, ...params: readonly unknown[]) => Promise<T>;
  /** Resolves to the failure's code and parameters; rejects when the call succeeds. */
  readonly refusal: (method: string, ...params: readonly unknown[]) => Promise<readonly string[]>;
  /** The outcome of the call's Async form. */
  readonly async: (method: string, ...params: readonly unknown[]) => Promise<TaskEnd>;
  readonly taskEnd: (task: string) => Promise<TaskEnd>;
}

interface TaskEnd {
  readonly status: string;
  readonly result: string;
  readonly error_info: readonly string[];
}

async function refusalOf(promise: Promise<unknown>): Promise<readonly string[]> {
  try {
    await promise;
  } catch (error) {
    const { code, params } = error as { code?: string; params?: readonly string[] };
    if (code === undefined || params === undefined) throw error;
    return [code, ...params];
  }
  throw new Error('the call was expected to be refused, it succeeded');
}

/** A fresh lab of one pool for each test of the file, driven by the unmodified npm xen-api in whatever encoding it finds. */
export function freshProduct(scenario: PoolScenario, options: LabOptions = {}): ProductLab {
  let current: { lab: Lab; xapi: Client } | undefined;
  beforeEach(async () => {
    const lab = await startLab({ ...options, pools: [scenario] });
    current = { lab, xapi: await connectXenApi(lab, false) };
  });
  afterEach(async () => {
    if (current === undefined) return;
    await leave(current.lab, current.xapi);
    await current.lab.close();
    current = undefined;
  });
  const started = () => {
    if (current === undefined) throw new Error('the lab is only there inside of a test');
    return current;
  };
  const call = <T = string>(method: string, ...params: readonly unknown[]) => started().xapi.call<T>(method, ...params);
  const taskEnd = async (ref: string): Promise<TaskEnd> => {
    for (;;) {
      const task = await call<TaskEnd>('task.get_record', ref);
      if (!['pending', 'cancelling'].includes(task.status)) return task;
      await call('event.from', [`task/${ref}`], '', 0.01);
    }
  };
  return {
    lab: () => started().lab,
    call,
    refusal: (method, ...params) => refusalOf(call(method, ...params)),
    async: async (method, ...params) => taskEnd(await call(`Async.${method}`, ...params)),
    taskEnd,
  };
}
