import { v7 as uuidv7 } from 'uuid';
import type { RunRow } from '../../../adapters/postgres/rows.ts';
import { findOperation, workflowIdFor } from '../../../domain/operations.ts';
import { deployInput } from './requests.ts';
import type { Rig } from './rig.ts';

/** A row as a process leaves it behind that dies before it has started the workflow. */
export async function acceptRun(rig: Rig, operation: 'deploy-vm' | 'delete-vm', name: string): Promise<RunRow> {
  const row = findOperation(operation);
  if (row === undefined) throw new Error(`no operation ${operation}`);
  const id = uuidv7();
  const input = operation === 'deploy-vm' ? deployInput(name) : { pool: 'ams1', name };
  const { run } = await rig.store.accept({
    id,
    operation,
    summary: row.summary(input),
    input,
    secrets: {},
    resource: row.resource(input),
    workflowId: workflowIdFor(row, id, input),
    requestedBy: 'operator',
    idempotencyKey: id,
    bodyHash: id,
  });
  return run;
}
