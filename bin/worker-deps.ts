import { buildConfigDrive } from '../adapters/cloud-init/drive.ts';
import { renderCloudInit } from '../adapters/cloud-init/render.ts';
import { openDatabase } from '../adapters/postgres/database.ts';
import { Ledger } from '../adapters/postgres/ledger.ts';
import { Locks } from '../adapters/postgres/locks.ts';
import { RunLog } from '../adapters/postgres/run-log.ts';
import { Vault } from '../adapters/postgres/vault.ts';
import { VmRegistry } from '../adapters/postgres/vm-registry.ts';
import { generateHostKey } from '../adapters/ssh/host-key.ts';
import { probeHostKey } from '../adapters/ssh/probe.ts';
import { createXapiPools } from '../adapters/xapi/pools.ts';
import type { XapiObserver } from '../adapters/xapi/pool-client.ts';
import type { Deps } from '../activities/step.ts';
import { Recent } from '../activities/support/recent.ts';
import type { WorkerConfig } from './config.ts';

interface OpenDeps {
  readonly deps: Deps;
  close(): Promise<void>;
}

/** Everything that steps reach the outside with, made once per worker process. */
export function openWorkerDeps(
  config: Pick<WorkerConfig, 'databaseUrl' | 'secretsKey' | 'pools'>,
  worker: string,
  onXapiCall?: XapiObserver,
): OpenDeps {
  const database = openDatabase(config.databaseUrl);
  const pools = createXapiPools(config.pools, {}, onXapiCall);
  const deps: Deps = {
    pools,
    db: database.db,
    log: new RunLog(database.db),
    ledger: new Ledger(database.db),
    locks: new Locks(database.db),
    vault: new Vault(config.secretsKey),
    vms: new VmRegistry(database.db),
    recent: new Recent(),
    generateHostKey,
    probeHostKey,
    renderCloudInit,
    buildConfigDrive,
    worker,
  };
  return {
    deps,
    close: async () => {
      await pools.close();
      await database.close();
    },
  };
}
