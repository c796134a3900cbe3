import { request } from 'undici';
import { OperationFailure } from '../../domain/errors.ts';
import type { PoolConnection } from './connection.ts';
import type { TaskRecord } from './messages.generated.ts';
import type { Ref } from './ref.ts';
import type { TaskWatch } from './task-watch.ts';
import { cancelTask, destroyTask, isPending, recordOfTask, resultOfTask, type Call } from './tasks.ts';
import { toFailure, type FailureContext } from './to-failure.ts';
import type { TaskMemory } from './xapi.ts';

interface Pool {
  readonly connection: PoolConnection;
  readonly call: Call;
  readonly tasks: TaskWatch;
  readonly context: FailureContext;
}

const TASK_NAME = 'Switchboard import_raw_vdi';

/** See `Xapi.importRawVdi`. The task is made by us, so that the outcome of the upload can be asked for after a lost answer. */
export async function importRawVdi(
  pool: Pool,
  memory: TaskMemory,
  mark: string,
  vdi: Ref<'VDI'>,
  content: Buffer,
): Promise<void> {
  if (await doneBefore(pool, memory)) return;
  memory.signal.throwIfAborted();
  const taskRef = await pool.call('task.create', TASK_NAME, mark);
  memory.remember(taskRef);
  const { status, ended } = await uploadAndWait(pool, memory, { vdi, task_id: taskRef, format: 'raw' }, content).catch(
    async (error: unknown) => {
      if (memory.signal.aborted) await abandon(pool, memory, taskRef);
      throw error;
    },
  );
  memory.forget();
  await destroyTask(pool.call, taskRef);
  if (ended === undefined) throw uploadRefused(status, pool.context);
  await resultOfTask(ended, pool.context);
}

/** See `Xapi.dropImports`. */
export async function dropImports(call: Call, mark: string): Promise<void> {
  const tasks: Record<string, TaskRecord> = await call('task.get_all_records');
  const marked = Object.entries(tasks).filter(
    ([, task]) => task.name_label === TASK_NAME && task.name_description === mark,
  );
  for (const [taskRef, task] of marked) {
    if (isPending(task)) await cancelTask(call, taskRef);
    await destroyTask(call, taskRef);
  }
}

async function uploadAndWait(
  pool: Pool,
  { signal }: TaskMemory,
  query: Readonly<Record<'vdi' | 'task_id' | 'format', string>>,
  content: Buffer,
) {
  const status = await upload(pool, signal, query, content);
  return { status, ended: await outcome(pool, query.task_id, status, signal) };
}

/** An upload of an earlier attempt counts only if it succeeded; whatever else became of it, its connection is dead. */
async function doneBefore({ call }: Pool, memory: TaskMemory): Promise<boolean> {
  const taskRef = memory.taskRef;
  if (taskRef === undefined) return false;
  const record = await recordOfTask(call, taskRef);
  if (record !== undefined && isPending(record)) await cancelTask(call, taskRef);
  memory.forget();
  await destroyTask(call, taskRef);
  return record?.status === 'success';
}

/** XAPI ends a task that we made only once an upload for it has begun: nobody else would end this one. */
async function abandon({ call }: Pool, memory: TaskMemory, taskRef: string): Promise<void> {
  memory.forget();
  await Promise.allSettled([cancelTask(call, taskRef)]);
  await destroyTask(call, taskRef);
}

/** After a refusal the task may say why; if it does not by then, nobody will end it. */
async function outcome({ call, tasks }: Pool, taskRef: string, httpStatus: number, signal: AbortSignal) {
  if (isSuccess(httpStatus)) return tasks.end(taskRef, signal);
  const record = await recordOfTask(call, taskRef);
  return record?.status === 'failure' ? record : undefined;
}

/** Answers the HTTP status. A member may send the upload on to the host that has the storage. */
async function upload(
  { connection, context }: Pool,
  signal: AbortSignal,
  query: Readonly<Record<string, string>>,
  content: Buffer,
): Promise<number> {
  const put = async (url: URL) => {
    // XAPI cannot take chunked bodies: a Buffer goes with its Content-Length.
    const options = { dispatcher: connection.dispatcher, method: 'PUT', body: content, signal } as const;
    const { statusCode, headers, body } = await request(url, options);
    await body.dump();
    return { statusCode, location: headers.location };
  };
  try {
    const { origin, sessionId } = await connection.session();
    const search = new URLSearchParams({ session_id: sessionId, ...query }).toString();
    const first = await put(new URL(`/import_raw_vdi?${search}`, origin));
    if (first.statusCode !== 302 || typeof first.location !== 'string') return first.statusCode;
    const elsewhere = new URL(first.location, origin);
    elsewhere.search = search;
    return (await put(elsewhere)).statusCode;
  } catch (error) {
    signal.throwIfAborted();
    throw toFailure(error, context);
  }
}

function isSuccess(httpStatus: number): boolean {
  return httpStatus >= 200 && httpStatus < 300;
}

function uploadRefused(httpStatus: number, { method, poolId, object }: FailureContext): OperationFailure {
  return new OperationFailure(
    'POOL_ERROR',
    `${method} on ${object} failed on pool ${poolId}: HTTP status ${httpStatus}. The disk has to be written again as a whole, which ` +
      `the next attempt does.`,
    { object, native: { code: `HTTP_${httpStatus}`, params: [] } },
  );
}
