import { join } from 'node:path';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto, { type temporal } from '@temporalio/proto';
import type { Part } from './part.ts';
import { StackTrouble } from './trouble.ts';

/** The package is CommonJS built in a way that Node sees no named exports of. */
const { IndexedValueType } = proto.temporal.api.enums.v1;

/** What the Temporal UI can be searched by. PostgreSQL visibility has room for 10 keywords and 3 integers. */
const searchAttributes = {
  OpsOperation: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  OpsPool: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  OpsTarget: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  OpsState: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  OpsRequestedBy: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  OpsTicket: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  OpsWave: IndexedValueType.INDEXED_VALUE_TYPE_INT,
};

/**
 * Temporal's development server as a part, on a file of the state folder. With a write-ahead log and `synchronous=1` it
 * does about three times the default's work and survives kill -9 (not a power cut, which may lose the last moments).
 * @param cliPath the Temporal CLI
 */
export function temporalPart(
  cliPath: string,
  stateDir: string,
  ports: { temporal: number; temporalUi: number },
  namespace: string,
): Part {
  const address = `127.0.0.1:${ports.temporal}`;
  return {
    name: 'temporal',
    command: cliPath,
    args: [
      ...['server', 'start-dev', '--ip', '127.0.0.1', '--namespace', namespace, '--log-level', 'warn'],
      ...['--port', String(ports.temporal), '--ui-port', String(ports.temporalUi), '--ui-disable-news-fetch'],
      ...['--db-filename', join(stateDir, 'temporal.db')],
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'],
      ...['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
      ...['--dynamic-config-value', 'frontend.enableServerVersionCheck=false'],
    ],
    env: { HOME: stateDir },
    probe: () => withTemporal({ address }, (connection) => requireNamespace(connection, namespace)),
    readyLimitMs: 60_000,
    stopSignal: 'SIGTERM',
    stopLimitMs: 15_000,
  };
}

/** Connects, does one thing, and closes. */
export async function withTemporal<T>(
  options: ConnectionOptions,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ connectTimeout: 5_000, ...options });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

/** A server answers before its namespaces can be used. */
async function requireNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.describeNamespace({ namespace });
}

/**
 * Adds the search attributes that are missing in a namespace. Safe to repeat, and on a server that is not ours.
 * @throws StackTrouble when one of that name exists with another type
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing: Record<string, temporal.api.enums.v1.IndexedValueType> = {};
  for (const [name, type] of Object.entries(searchAttributes)) {
    const present = customAttributes[name];
    if (present === undefined) missing[name] = type;
    else if (present !== type) throw new StackTrouble(otherType(namespace, name, type));
  }
  if (Object.keys(missing).length === 0) return;
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: missing });
}

function otherType(namespace: string, name: string, type: temporal.api.enums.v1.IndexedValueType): string {
  const wanted = IndexedValueType[type].replace('INDEXED_VALUE_TYPE_', '').toLowerCase();
  return (
    `The Temporal namespace ${namespace} has a search attribute ${name} of another type than ${wanted}; nothing was ` +
    'changed there. Remove that attribute, or name another namespace in TEMPORAL_NAMESPACE.'
  );
}

/** Only for a server of our own: closed workflows stay readable for 30 days, not the development server's one. */
export async function keepClosedWorkflows(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs('30 days') },
  });
}
