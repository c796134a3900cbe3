import { createActivities } from '../../../activities/index.ts';
import { openDatabase } from '../../../adapters/postgres/database.ts';
import type { Db } from '../../../adapters/postgres/database.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import { startTcpProxy } from '../../../lab/tcp-proxy.ts';
import type { TcpProxy } from '../../../lab/tcp-proxy.ts';
import { startSite } from '../../support/site.ts';
import type { Site, SiteOptions } from '../../support/site.ts';
import { StepHooks } from './step-hooks.ts';

/** One installation for many cases at once: each lane is a pool of its own, in which one case runs after the other. */
export interface Rig {
  readonly site: Site;
  readonly hooks: StepHooks;
  /** In front of the worker's PostgreSQL. */
  readonly databaseProxy: TcpProxy;
  /** Straight to PostgreSQL, for checks. */
  readonly db: Db;
  readonly lanes: readonly string[];
  /** One lane more, where a proxy may stand before the guests: the product looks for their SSH on PROXIED_SSH_PORT. */
  readonly sshLane: string;
  stop(): Promise<void>;
}

export const PROXIED_SSH_PORT = 2322;
/** Where the lab's guests answer. */
export const GUEST_SSH_PORT = 2222;
const SSH_LANE = 'lane-ssh';

export interface RigOptions extends Pick<SiteOptions, 'workflowsPath' | 'worker'> {
  readonly lanes: number;
  readonly create?: typeof createActivities;
}

export async function startRig({ lanes: count, create = createActivities, ...given }: RigOptions): Promise<Rig> {
  const lanes = Array.from({ length: count }, (_, index) => `lane-${String(index).padStart(2, '0')}`);
  const hooks = new StepHooks();
  const proxies: TcpProxy[] = [];
  const site = await startSite({
    lab: { pools: [...lanes, SSH_LANE].map((id) => defaultPool(id)) },
    pools: (pools) => pools.map((pool) => (pool.id === SSH_LANE ? { ...pool, guestSshPort: PROXIED_SSH_PORT } : pool)),
    activities: hooks.around(create),
    ...given,
    workerDatabaseUrl: async (url) => {
      const target = new URL(url);
      const proxy = await startTcpProxy({ targetHost: target.hostname, targetPort: Number(target.port) });
      proxies.push(proxy);
      target.hostname = '127.0.0.1';
      target.port = String(proxy.port);
      return target.href;
    },
  });
  const [databaseProxy] = proxies;
  if (databaseProxy === undefined) throw new Error('the site has not asked for its database');
  const open = openDatabase(site.databaseUrl, 4);
  return {
    ...{ site, hooks, databaseProxy, lanes, sshLane: SSH_LANE, db: open.db },
    stop: async () => {
      await open.close();
      await site.stop();
      await databaseProxy.close();
    },
  };
}

/** The journal of a step: that it started, failed, was done. */
export const JOURNAL = 'insert into run_events';

/** What a chunk of the PostgreSQL protocol changes: `insert into locks`. The driver sends a statement with its parameters in one. */
export function statementIn(chunk: Buffer): string | undefined {
  const text = chunk.toString('latin1').replaceAll('"', '');
  return text.includes(JOURNAL) ? JOURNAL : /(insert into|update|delete from) \w+/.exec(text)?.[0];
}
