import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RunStore } from '../../adapters/postgres/run-store.ts';
import type { ApiDeps } from '../../api/context.ts';
import { RUN_STATES } from '../../domain/run.ts';

const HTTP_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What the API process tells Prometheus; names and meanings stand in docs/metrics.md. */
export function createApiMetrics(store: RunStore): { registry: Registry; onRequest: ApiDeps['onRequest'] } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'switchboard_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, streams and long polls left out',
    labelNames: ['method', 'route', 'status'],
    buckets: HTTP_BUCKETS_SECONDS,
    registers: [registry],
  });
  new Gauge({
    name: 'switchboard_runs',
    help: 'Runs by state, counted in the database at the time of the scrape',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await store.countByState();
      for (const state of RUN_STATES) this.set({ state }, counts.get(state) ?? 0);
    },
  });
  return {
    registry,
    onRequest: ({ method, route, status, durationMs }) =>
      requests.observe({ method, route, status: String(status) }, durationMs / 1_000),
  };
}
