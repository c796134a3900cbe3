import type { Ledger } from '../../../adapters/postgres/ledger.ts';
import type { RunLog } from '../../../adapters/postgres/run-log.ts';
import type { Failure } from '../../../domain/errors.ts';
import type { EndedState } from '../../../domain/run.ts';

const FULL: Failure = {
  code: 'POOL_ERROR',
  message: 'The pool could not clone the template.',
  object: 'template debian-12',
  native: { code: 'SR_BACKEND_FAILURE_44', params: ['no space'] },
};

interface Work {
  readonly runId: string;
  readonly executionId: string;
}

/** What the stand-in runbooks leave in the read model: two steps, the second one at its second attempt. */
export function standInActivities(log: RunLog, ledger: Ledger) {
  return {
    async recordWork(work: Work): Promise<void> {
      const first = { ...work, round: 1, attempt: 1, committed: false, worker: 'stand-in' };
      await log.started({ ...first, step: 'acquireLock' });
      await log.done({ ...first, step: 'acquireLock' });
      await ledger.owe(work.runId, 'cloneVm', [{ kind: 'VM', id: 'vm-1', name: 'web-01', duty: 'remove' }]);
      await log.started({ ...first, step: 'cloneVm' });
      await log.failed({ ...first, step: 'cloneVm' }, FULL);
      await log.started({ ...first, step: 'cloneVm', attempt: 2 });
    },
    async recordHeld({ runId }: Work): Promise<void> {
      await log.setState(runId, 'needs-operator', FULL);
    },
    async recordAnswered({ runId }: Work): Promise<void> {
      await log.setState(runId, 'running');
    },
    async end({ runId, state, skipReason }: { runId: string; state: EndedState; skipReason?: string }): Promise<void> {
      const skips = skipReason === undefined ? [] : [{ step: 'cloneVm', reason: skipReason }];
      await log.end(runId, { state, result: state === 'succeeded' ? { uuid: 'vm-1' } : undefined, skips });
    },
  };
}

export type StandInActivities = ReturnType<typeof standInActivities>;
