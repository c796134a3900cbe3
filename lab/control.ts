import type { AddressInfo } from 'node:net';
import express from 'express';
import type { ErrorRequestHandler, Express } from 'express';
import { z } from 'zod';
import { addBarriers, addFaults } from './control-faults.ts';
import { notFound, refuse } from './control-answers.ts';
import { addProbes } from './control-probes.ts';
import { addUpdateFiles } from './control-updates.ts';
import type { WorldSnapshot } from './diff.ts';
import type { Lab } from './lab.ts';
import { isClassName } from './model/model.ts';
import { statusOf } from './status.ts';

/** The lab's own port, for tests and tools in other processes. */
export interface ControlPort {
  readonly url: string;
  close(): Promise<void>;
}

const newSnapshot = z.strictObject({ name: z.string().min(1).optional() }).optional();
const newPower = z.strictObject({ power: z.enum(['on', 'off']) });
const newSpeed = z.strictObject({ speed: z.number().gt(0) });

function addSnapshots(app: Express, lab: Lab): void {
  const snapshots = new Map<string, WorldSnapshot>();
  app.post('/snapshots', (req, res) => {
    const given = newSnapshot.safeParse(req.body);
    if (!given.success) return refuse(res, 'This is no snapshot', [z.prettifyError(given.error)]);
    const id = given.data?.name ?? String(snapshots.size + 1);
    snapshots.set(id, lab.snapshot());
    res.status(201).json({ id });
  });
  app.get('/snapshots/:id/diff', (req, res) => {
    const before = snapshots.get(req.params.id);
    if (before === undefined)
      return notFound(res, `snapshot ${req.params.id}`, `there are: ${[...snapshots.keys()].join(', ') || 'none'}`);
    res.json(lab.diff(before));
  });
}

function addSpeed(app: Express, lab: Lab): void {
  app.put('/speed', (req, res) => {
    const given = newSpeed.safeParse(req.body);
    if (!given.success) return refuse(res, 'This is no speed', [z.prettifyError(given.error)]);
    lab.setSpeed(given.data.speed);
    res.json({ speed: lab.speed });
  });
}

function addHosts(app: Express, lab: Lab): void {
  app.get('/hosts', (_req, res) => {
    res.json(lab.hosts);
  });
  app.put('/hosts/:name', async (req, res) => {
    const given = newPower.safeParse(req.body);
    if (!given.success) return refuse(res, 'This is no state of a host', [z.prettifyError(given.error)]);
    const host = lab.hosts.find(({ name }) => name === req.params.name);
    if (host === undefined)
      return notFound(res, `host ${req.params.name}`, `there are: ${lab.hosts.map(({ name }) => name).join(', ')}`);
    if (given.data.power === 'off') await host.losePower();
    else host.powerOn();
    res.json(host);
  });
}

function addReads(app: Express, lab: Lab): void {
  app.get('/status', (_req, res) => {
    res.json(statusOf(lab));
  });
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

/** A body that is no JSON, or a failure of the lab. */
const answerError: ErrorRequestHandler = (error: { status?: number; message?: string }, _req, res, next) => {
  if (res.headersSent) return next(error);
  res.status(error.status ?? 500).json({ error: error.message ?? 'the lab failed' });
};

/** Listens on loopback; 0 takes a free port. */
export async function startControl(lab: Lab, port: number): Promise<ControlPort> {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json());
  addReads(app, lab);
  addSnapshots(app, lab);
  addSpeed(app, lab);
  addHosts(app, lab);
  addFaults(app, lab);
  addUpdateFiles(app, lab);
  addBarriers(app, lab);
  addProbes(app, lab);
  app.use((req, res) => notFound(res, `${req.method} ${req.path}`));
  app.use(answerError);
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
