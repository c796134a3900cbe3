import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure, NamespaceNotFoundError, WorkflowNotFoundError } from '@temporalio/common';
import { OperationFailure } from '../../domain/errors.ts';

/**
 * "Temporal is away" or refuses us (wrong namespace, credentials, limits) becomes ENGINE_UNAVAILABLE: in all these
 * cases nothing is lost by trying again later. Everything else is passed on as it is.
 */
export function orEngineFailure(error: unknown): unknown {
  const words = serverWords(error);
  if (words === undefined) return error;
  return new OperationFailure(
    'ENGINE_UNAVAILABLE',
    `Temporal does not serve the request: ${words}`,
    {},
    { cause: error },
  );
}

function serverWords(error: unknown): string | undefined {
  if (isGrpcServiceError(error)) return error.details;
  if (error instanceof NamespaceNotFoundError) return `it has no namespace ${error.namespace}`;
  if (!(error instanceof ServiceError)) return undefined;
  return isGrpcServiceError(error.cause) ? error.cause.details : (error.cause?.message ?? error.message);
}

/** What the workflow, or its absence, answered to cancel, retry and skip. */
export function orRefused(error: unknown, verb: string, runId: string): unknown {
  if (error instanceof WorkflowNotFoundError) return refused(`Run ${runId} has just ended: nothing to ${verb}.`, error);
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    const next = `It may still take effect: look at the run before you ask again.`;
    const message = `Temporal has passed on "${verb}" for run ${runId}, but no worker answered in time. ${next}`;
    return new OperationFailure('ENGINE_UNAVAILABLE', message, {}, { cause: error });
  }
  const reason = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (!(reason instanceof ApplicationFailure)) return error;
  if (reason.type === 'ACTION_REFUSED') return refused(reason.message, error);
  // The server's own word for: the workflow took the request and closed before it had answered.
  if (reason.type === 'AcceptedUpdateCompletedWorkflow') {
    return refused(`Run ${runId} ended before it could ${verb}.`, error);
  }
  return error;
}

export function refused(message: string, cause?: unknown): OperationFailure {
  return new OperationFailure('ACTION_REFUSED', message, {}, { cause });
}
