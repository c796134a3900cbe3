import { ApplicationFailure, condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';
import { defineUpdate, workflowInfo } from '@temporalio/workflow';
import type { RunRequest } from '../../../domain/run.ts';
import type { StandInActivities } from './stand-in-activities.ts';

/**
 * Runbooks without a pool: they offer what every operation's workflow offers and do what the VM name says
 * (`quick-…` succeeds at once, `held-…` asks for an operator, `silent-…` records nothing), or wait.
 */
type Request = RunRequest<{ readonly name: string }>;
interface By {
  readonly requestedBy: string;
}

const { recordWork, recordHeld, recordAnswered, end } = proxyActivities<StandInActivities>({
  startToCloseTimeout: '20 seconds',
});

export async function deployVm(request: Request): Promise<void> {
  await standIn(request);
}

export async function deleteVm(request: Request): Promise<void> {
  await standIn(request);
}

async function standIn({ runId, input }: Request): Promise<void> {
  const work = { runId, executionId: workflowInfo().runId };
  const held = input.name.startsWith('held-');
  let outcome: 'succeeded' | 'cancelled' | 'succeeded-with-skips' | undefined;
  let skipReason: string | undefined;
  const onlyHeld = { validator: (by: By) => refuseUnless(held, `The run does not wait for ${by.requestedBy}.`) };

  setHandler(defineSignal('finish'), () => void (outcome = 'succeeded'));
  setHandler(
    defineUpdate<string, [By]>('cancel'),
    ({ requestedBy }) => {
      outcome = 'cancelled';
      return `stops for ${requestedBy}`;
    },
    { validator: (by: By) => refuseUnless(!held, `The run waits for ${by.requestedBy}: answer with retry or skip.`) },
  );
  setHandler(
    defineUpdate<string, [By]>('retry'),
    async () => {
      await recordAnswered(work);
      outcome = 'succeeded';
      return 'does cloneVm again';
    },
    onlyHeld,
  );
  setHandler(
    defineUpdate<string, [By & { readonly reason: string }]>('skip'),
    async ({ reason }) => {
      await recordAnswered(work);
      outcome = 'succeeded-with-skips';
      skipReason = reason;
      return `leaves cloneVm out: ${reason}`;
    },
    onlyHeld,
  );

  if (!input.name.startsWith('silent-')) await recordWork(work);
  if (held) await recordHeld(work);
  if (input.name.startsWith('quick-')) outcome = 'succeeded';
  await condition(() => outcome !== undefined);
  await end({ runId, state: outcome ?? 'succeeded', skipReason });
}

function refuseUnless(possible: boolean, reason: string): void {
  if (!possible) throw ApplicationFailure.nonRetryable(reason, 'ACTION_REFUSED');
}
