import type { Express } from 'express';
import { z } from 'zod';
import { notFound, refuse } from './control-answers.ts';
import { barrierSchema, faultKinds, parseFault } from './fault-spec.ts';
import type { Lab } from './lab.ts';

const maxWaitSeconds = 300;

/** Resolves to undefined when nothing came of the promise in time. */
async function within<T>(promise: Promise<T>, seconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), seconds * 1000);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

export function addFaults(app: Express, lab: Lab): void {
  app.get('/faults', (_req, res) => {
    res.json(lab.faults.list().map(({ id, fault, fired }) => ({ id, fault, fired })));
  });
  app.post('/faults', (req, res) => {
    const given = parseFault(req.body);
    if ('problems' in given) {
      return refuse(res, 'This is no fault', given.problems, { kinds: Object.fromEntries(faultKinds) });
    }
    const { id, fault, fired } = lab.plan(given.fault);
    res.status(201).json({ id, fault, fired });
  });
  app.delete('/faults', (_req, res) => {
    lab.clearFaults();
    res.status(204).end();
  });
  app.get('/faults/:id', (req, res) => {
    const planned = lab.faults.find(req.params.id);
    if (planned === undefined) return notFound(res, `fault ${req.params.id}`);
    const { id, fault, fired } = planned;
    res.json({ id, fault, fired });
  });
  app.delete('/faults/:id', (req, res) => {
    if (!lab.faults.forget(req.params.id)) return notFound(res, `fault ${req.params.id}`);
    res.status(204).end();
  });
}

export function addBarriers(app: Express, lab: Lab): void {
  app.post('/barriers', (req, res) => {
    const given = barrierSchema.safeParse(req.body);
    if (!given.success) return refuse(res, 'This is no barrier', [z.prettifyError(given.error)]);
    res.status(201).json({ id: lab.hold(given.data).id });
  });
  app.get('/barriers/:id', async (req, res) => {
    const barrier = lab.faults.findBarrier(req.params.id);
    if (barrier === undefined) return notFound(res, `barrier ${req.params.id}`);
    const wait = Math.min(Number(req.query['wait'] ?? 0), maxWaitSeconds);
    const held = barrier.held ?? (await within(barrier.reached, wait));
    res.json({ id: barrier.id, reached: held !== undefined, held });
  });
  app.post('/barriers/:id/release', (req, res) => {
    const barrier = lab.faults.findBarrier(req.params.id);
    if (barrier === undefined) return notFound(res, `barrier ${req.params.id}`);
    barrier.release();
    res.status(204).end();
  });
}
