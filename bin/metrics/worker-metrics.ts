import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import type { StepCall } from '../../activities/step.ts';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { XapiObserver } from '../../adapters/xapi/pool-client.ts';

const STEP_BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800];
const CALL_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Every runbook begins with it. */
const FIRST_STEP = 'acquireLock';

interface WorkerMetrics {
  readonly registry: Registry;
  readonly onXapiCall: XapiObserver;
  readonly activityInterceptor: (context: Context) => ActivityInterceptors;
}

/** What the worker process tells Prometheus; names and meanings stand in docs/metrics.md. */
export function createWorkerMetrics(): WorkerMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const steps = new Histogram({
    name: 'switchboard_step_duration_seconds',
    help: 'Time of one attempt of a step',
    labelNames: ['step', 'outcome'],
    ...{ buckets: STEP_BUCKETS_SECONDS, registers },
  });
  const failures = new Counter({
    name: 'switchboard_step_failures_total',
    help: 'Attempts of a step that failed, by failure code',
    labelNames: ['step', 'code'],
    registers,
  });
  const retries = new Counter({
    name: 'switchboard_step_retries_total',
    help: 'Attempts of a step after its first one',
    labelNames: ['step'],
    registers,
  });
  const calls = new Histogram({
    name: 'switchboard_xapi_call_duration_seconds',
    help: 'Time from a message to a pool to its answer',
    labelNames: ['pool', 'method', 'outcome'],
    ...{ buckets: CALL_BUCKETS_SECONDS, registers },
  });
  const lag = new Histogram({
    name: 'switchboard_queue_lag_seconds',
    help: 'Time from the acceptance of a run to its first step',
    ...{ buckets: STEP_BUCKETS_SECONDS, registers },
  });
  return {
    registry,
    onXapiCall: ({ pool, method, outcome, durationMs }) => calls.observe({ pool, method, outcome }, durationMs / 1_000),
    activityInterceptor: ({ info }) => ({
      inbound: {
        async execute(input, next) {
          const step = info.activityType;
          if (info.attempt > 1) retries.inc({ step });
          else if (step === FIRST_STEP) lag.observe(ageSeconds(input.args[0]));
          const end = steps.startTimer({ step });
          try {
            const output: unknown = await next(input);
            end({ outcome: 'done' });
            return output;
          } catch (error) {
            end({ outcome: 'failed' });
            failures.inc({ step, code: codeOf(error) });
            throw error;
          }
        },
      },
    }),
  };
}

/** Steps fail with codes of the catalogue; all else is a cancellation. */
function codeOf(error: unknown): string {
  return error instanceof ApplicationFailure && error.type ? error.type : 'CANCELLED';
}

/** The id of a run is a UUIDv7: it begins with the milliseconds of its acceptance, by the clock of the API. */
function ageSeconds(call: unknown): number {
  const { runId } = call as StepCall<unknown>;
  const acceptedMs = Number.parseInt(runId.replace('-', '').slice(0, 12), 16);
  return Math.max(0, (Date.now() - acceptedMs) / 1_000);
}
