import type { VmIdentity } from '../../domain/vm.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';

export interface RegisteredVm extends VmIdentity {
  readonly address: string;
  readonly sshPort: number;
  /** In OpenSSH form; every later connection must prove exactly this key. */
  readonly hostPublicKey: string;
}

/** The VMs that we deployed, and how to recognise each again. */
export class VmRegistry {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  async find(pool: string, uuid: string): Promise<RegisteredVm | undefined> {
    const row = await orStoreUnavailable(() =>
      this.#db.selectFrom('vms').selectAll().where('pool', '=', pool).where('uuid', '=', uuid).executeTakeFirst(),
    );
    if (row === undefined) return undefined;
    const { name, address, ssh_port: sshPort, host_public_key: hostPublicKey } = row;
    return { pool, uuid, name, address, sshPort, hostPublicKey };
  }

  async record(runId: string, vm: RegisteredVm): Promise<void> {
    const row = {
      pool: vm.pool,
      uuid: vm.uuid,
      name: vm.name,
      address: vm.address,
      ssh_port: vm.sshPort,
      host_public_key: vm.hostPublicKey,
      run_id: runId,
    };
    await orStoreUnavailable(() =>
      this.#db
        .insertInto('vms')
        .values(row)
        .onConflict((conflict) => conflict.columns(['pool', 'uuid']).doUpdateSet(row))
        .execute(),
    );
  }

  async forget(pool: string, uuid: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db.deleteFrom('vms').where('pool', '=', pool).where('uuid', '=', uuid).execute(),
    );
  }
}
