import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Express, Request, Response } from 'express';
import type { WorldSnapshot } from './diff.ts';
import type { BarrierSpec, Fault } from './faults.ts';
import type { Lab } from './lab.ts';
import { isClassName } from './model/model.ts';

const maxWaitSeconds = 300;

/** The lab's own port, for tests and tools in other processes. */
export interface ControlPort {
  readonly url: string;
  close(): Promise<void>;
}

function notFound(res: Response, what: string): void {
  res.status(404).json({ error: `${what} is not known to this lab` });
}

/** Resolves to undefined when nothing came of the promise in time. */
async function within<T>(promise: Promise<T>, seconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), seconds * 1000);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

function addSnapshots(app: Express, lab: Lab): void {
  const snapshots = new Map<string, WorldSnapshot>();
  app.post('/snapshots', (_req, res) => {
    const id = String(snapshots.size + 1);
    snapshots.set(id, lab.snapshot());
    res.status(201).json({ id });
  });
  app.get('/snapshots/:id/diff', (req, res) => {
    const before = snapshots.get(req.params.id);
    if (before === undefined) return notFound(res, `snapshot ${req.params.id}`);
    res.json(lab.diff(before));
  });
}

function addFaults(app: Express, lab: Lab): void {
  app.post('/faults', (req: Request<unknown, unknown, Fault>, res) => {
    res.status(201).json(lab.plan(req.body));
  });
  app.delete('/faults', (_req, res) => {
    lab.clearFaults();
    res.status(204).end();
  });
  app.get('/faults/:id', (req, res) => {
    const fault = lab.findFault(req.params.id);
    if (fault === undefined) return notFound(res, `fault ${req.params.id}`);
    res.json(fault);
  });
}

function addBarriers(app: Express, lab: Lab): void {
  app.post('/barriers', (req: Request<unknown, unknown, BarrierSpec>, res) => {
    res.status(201).json({ id: lab.hold(req.body).id });
  });
  app.get('/barriers/:id', async (req, res) => {
    const barrier = lab.findBarrier(req.params.id);
    if (barrier === undefined) return notFound(res, `barrier ${req.params.id}`);
    const wait = Math.min(Number(req.query['wait'] ?? 0), maxWaitSeconds);
    const held = barrier.held ?? (await within(barrier.reached, wait));
    res.json({ id: barrier.id, reached: held !== undefined, held });
  });
  app.post('/barriers/:id/release', (req, res) => {
    const barrier = lab.findBarrier(req.params.id);
    if (barrier === undefined) return notFound(res, `barrier ${req.params.id}`);
    barrier.release();
    res.status(204).end();
  });
}

function addReads(app: Express, lab: Lab): void {
  app.get('/pools', (_req, res) => {
    res.json(lab.pools);
  });
  app.get('/calls', (req, res) => {
    const { since, mutating, method } = req.query;
    res.json(
      lab.calls({
        since: Number(since ?? 0),
        ...(mutating === undefined ? {} : { mutating: mutating === 'true' }),
        ...(typeof method === 'string' ? { method } : {}),
      }),
    );
  });
  app.get('/world/:class', (req, res) => {
    const cls = req.params.class;
    if (!isClassName(cls)) return notFound(res, `class ${cls}`);
    const byPool = lab.worlds.map((world) => [world.id, Object.fromEntries(world.store.records(cls))]);
    res.json(Object.fromEntries(byPool));
  });
  app.get('/unmodelled', (_req, res) => {
    res.json(lab.unmodelled());
  });
}

/** Listens on loopback; 0 takes a free port. */
export async function startControl(lab: Lab, port: number): Promise<ControlPort> {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json());
  addReads(app, lab);
  addSnapshots(app, lab);
  addFaults(app, lab);
  addBarriers(app, lab);
  const server = app.listen(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
