import { afterAll, afterEach } from '@jest/globals';
import { createXapiPools } from '../../../adapters/xapi/pools.ts';
import type { PoolSettings, TaskMemory, Xapi, XapiPools } from '../../../adapters/xapi/xapi.ts';
import { startLab } from '../../../lab/lab.ts';
import type { Lab } from '../../../lab/lab.ts';
import type { ClassName } from '../../../lab/model/records.ts';

/** How the first pool of the lab is registered; `change` says what this test has different. */
export function settingsOf(lab: Lab, change: Partial<PoolSettings> = {}): PoolSettings {
  const [pool] = lab.pools;
  if (pool === undefined) throw new Error('the lab has no pool');
  return {
    id: pool.id,
    addresses: [pool.coordinatorAddress],
    port: pool.port,
    tls: { mode: 'none' },
    user: pool.user,
    password: pool.password,
    guestSshPort: 2222,
    ...change,
  };
}

/** Makes registries of pools and closes them all. */
export class OpenPools {
  readonly #open: XapiPools[] = [];

  of(...[settings, timeouts]: [PoolSettings, { callTimeoutMs?: number; connectTimeoutMs?: number }?]): Xapi {
    const pools = createXapiPools([settings], timeouts);
    this.#open.push(pools);
    return pools.get(settings.id);
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((pools) => pools.close()));
  }
}

/** What a heartbeat would keep of one task; `told` is everything that was ever remembered or forgotten. */
export class Memory implements TaskMemory {
  taskRef: string | undefined;
  readonly told: string[] = [];
  /** The first task that was remembered. */
  readonly known: Promise<string>;
  #tell: (taskRef: string) => void = () => undefined;
  readonly #abort = new AbortController();

  constructor(taskRef?: string) {
    this.taskRef = taskRef;
    this.known = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remember(taskRef: string): void {
    this.taskRef = taskRef;
    this.told.push(`remember ${taskRef}`);
    this.#tell(taskRef);
  }

  forget(): void {
    this.taskRef = undefined;
    this.told.push('forget');
  }

  abort(reason: Error): void {
    this.#abort.abort(reason);
  }
}

/** A connection to the lab's pool until the last test of the file has ended. */
export function connectTo(lab: Lab): Xapi {
  const pools = new OpenPools();
  afterAll(() => pools.close());
  return pools.of(settingsOf(lab));
}

/** A lab with one connection to its pool for the tests of a file, which leave no faults to each other. */
export async function openPool(): Promise<{ lab: Lab; xapi: Xapi; template: string }> {
  const lab = await startLab();
  const xapi = connectTo(lab);
  afterEach(() => lab.clearFaults());
  afterAll(() => lab.close());
  return { lab, xapi, template: await templateOf(xapi) };
}

/** Makes the pool know an object by another reference, as one that was restored does; answers that. */
export function knownByAnother(lab: Lab, cls: ClassName, ref: string): string {
  const { store } = lab.world;
  const record = store.get(cls, ref);
  store.destroy(cls, ref);
  return store.create(cls, record);
}

/** The template that every lab has. */
export async function templateOf(xapi: Xapi): Promise<string> {
  const [template] = await xapi.call('VM.get_by_name_label', 'debian-12');
  if (template === undefined) throw new Error('the lab has no template debian-12');
  return template;
}
