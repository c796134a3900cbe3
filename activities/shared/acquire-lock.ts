import { step } from '../step.ts';

interface AcquireLock {
  /** `pool/ams1/vm/web-01`: the same words in every operation that touches the object. */
  readonly resource: string;
}

/**
 * Makes the object this run's own: no other run may touch it until this one has ended.
 * Repeating it is safe: the lock is a row that names its run. Undo gives the row back, if it is ours.
 */
export const acquireLock = step<AcquireLock, { held: true }>({
  name: 'acquireLock',
  async find(ctx, { resource }) {
    return (await ctx.locks.holds(ctx.runId, resource)) ? { held: true } : undefined;
  },
  async do(ctx, { resource }) {
    await ctx.locks.acquire(ctx.runId, resource);
    return { held: true };
  },
  async undo(ctx, { resource }) {
    await ctx.locks.release(ctx.runId, resource);
  },
});
