import { defaultPayloadConverter } from '@temporalio/common';
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import { isFailureCode, type Failure } from '../../domain/errors.ts';

/** Finds the catalogue's failure in what Temporal throws: the activity's own, else what kept it from answering. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ApplicationFailure && isFailureCode(error.type))
    return { code: error.type, message: error.message };
  if (!(error instanceof ActivityFailure)) {
    return { code: 'BUG', message: error instanceof Error ? error.message : String(error) };
  }
  // The wire form: where the budget ended between two attempts, the SDK's errors leave out what the last one said.
  for (let one = error.failure; one; one = one.cause ?? undefined) {
    const { type, details } = one.applicationFailureInfo ?? {};
    const [payload] = details?.payloads ?? [];
    if (isFailureCode(type) && payload !== undefined) return defaultPayloadConverter.fromPayload<Failure>(payload);
  }
  const why = error.cause?.message ?? error.message;
  const message = `${error.activityType}: no answer in time (${why}); its effect may be there.`;
  return { code: 'STEP_TIMEOUT', message };
}
