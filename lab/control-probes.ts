import { BlockList } from 'node:net';
import type { Express, Response } from 'express';
import { z } from 'zod';
import { notFound, refuse } from './control-answers.ts';
import type { Lab } from './lab.ts';
import { bare, type ProbeRun, type ProbeRuns, type RunEnd, type RunSpec } from './netns/probe-runs.ts';
import { probesAtMost } from './netns/probes.ts';

/** An address of the lab's own in a network, for as long as the run lasts. */
const end = z.strictObject({
  /** Name or uuid. */
  network: z.string().min(1),
  /** In CIDR notation. */
  address: z.cidrv4(),
  /** Without one it reaches its own network only. */
  gateway: z.ipv4().optional(),
});

const newRun = z
  .strictObject({
    pool: z.string().min(1),
    protocol: z.enum(['udp', 'icmp', 'tcp']),
    perSecond: z.int().min(1).max(1_000),
    /** Left out: until it is stopped. */
    seconds: z.number().gt(0).optional(),
    from: end,
    to: end.optional(),
    /** Where the probes are sent to; the far end itself if left out. */
    target: z.ipv4().optional(),
  })
  .refine(({ protocol, to }) => protocol === 'icmp' || to !== undefined, 'to: udp and tcp need a far end that answers')
  .refine(({ to, target }) => to !== undefined || target !== undefined, 'target: without a far end it has to be given')
  .refine(
    ({ perSecond, seconds = 0 }) => perSecond * seconds <= probesAtMost,
    `seconds: a run sends ${probesAtMost} probes at most`,
  );

type NewRun = z.infer<typeof newRun>;

function isInside(gateway: string, cidr: string): boolean {
  const net = new BlockList();
  net.addSubnet(bare(cidr), Number(cidr.split('/')[1]));
  return net.check(gateway);
}

/** The end with its network's uuid, or what is wrong with it. */
function endIn(lab: Lab, pool: string, name: string, given: z.infer<typeof end>): RunEnd | string {
  const networks = lab.worlds.find(({ id }) => id === pool)?.store.records('network') ?? [];
  const found = networks.filter(([, { uuid, name_label: label }]) => [uuid, label].includes(given.network));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const there = networks.map(([, { name_label: label }]) => label).join(', ');
    return `${name}.network: pool ${pool} has ${found.length} networks ${given.network}; it has ${there || 'none'}`;
  }
  const { gateway, address } = given;
  if (gateway !== undefined && !isInside(gateway, address))
    return `${name}.gateway: ${gateway} is not reached from ${address}`;
  return { ...given, network: only[1].uuid };
}

/** The run with its networks found, or what is wrong with it. */
function specOf(lab: Lab, runs: ProbeRuns, { pool, from, to, target, ...what }: NewRun): RunSpec | string {
  if (!lab.pools.some(({ id }) => id === pool))
    return `pool: no pool is ${pool}; there are: ${lab.pools.map(({ id }) => id).join(', ')}`;
  const near = endIn(lab, pool, 'from', from);
  if (typeof near === 'string') return near;
  const far = to === undefined ? undefined : endIn(lab, pool, 'to', to);
  if (typeof far === 'string') return far;
  if (far?.network === near.network && bare(far.address) === bare(near.address))
    return 'to.address: both ends have the same one';
  for (const one of [near, far])
    for (const run of runs.list())
      if (one !== undefined && run.holds(one)) return `address: ${one.address} is in use by ${run.id}`;
  return { ...what, from: near, ...(far === undefined ? {} : { to: far }), target: target ?? bare(far?.address ?? '') };
}

/** Numbers only; the single run has every lost probe too. */
function summary({ id, spec, state, error, report }: ProbeRun): object {
  const directions = report?.directions.map(({ lost, ...rest }) => ({ ...rest, lost: lost.length }));
  return { id, state, error, spec, ...(report === undefined ? {} : { report: { ...report, directions } }) };
}

const whole = ({ id, spec, state, error, report }: ProbeRun): object => ({ id, state, error, spec, report });

/** The lab's namespaces measure; guests in this process exchange no packets. */
function runsOf(lab: Lab, res: Response): ProbeRuns | undefined {
  if (lab.namespaces !== undefined) return lab.namespaces.probes;
  const hint = 'this lab has none of: start it with the scenario’s `guests: namespaces`';
  res.status(409).json({ error: `Probes go between namespaces, and ${hint}; nothing was changed` });
  return undefined;
}

/** Measuring the networks between the guests while somebody works on their routers. */
export function addProbes(app: Express, lab: Lab): void {
  app.get('/probes', (_req, res) => {
    res.json((lab.namespaces?.probes.list() ?? []).map(summary));
  });
  app.post('/probes', async (req, res) => {
    const given = newRun.safeParse(req.body);
    if (!given.success) return refuse(res, 'This is no probe run', [z.prettifyError(given.error)]);
    const runs = runsOf(lab, res);
    if (runs === undefined) return;
    const spec = specOf(lab, runs, given.data);
    if (typeof spec === 'string') return refuse(res, 'This is no probe run', [spec]);
    res.status(201).json(summary(await runs.start(spec)));
  });
  app.get('/probes/:id', (req, res) => {
    const run = lab.namespaces?.probes.find(req.params.id);
    if (run === undefined) return notFound(res, `probe run ${req.params.id}`);
    res.json(whole(run));
  });
  app.post('/probes/:id/stop', async (req, res) => {
    const run = lab.namespaces?.probes.find(req.params.id);
    if (run === undefined) return notFound(res, `probe run ${req.params.id}`);
    await run.stop();
    res.json(whole(run));
  });
  app.delete('/probes/:id', async (req, res) => {
    const run = lab.namespaces?.probes.find(req.params.id);
    if (run === undefined) return notFound(res, `probe run ${req.params.id}`);
    await lab.namespaces?.probes.remove(run);
    res.status(204).end();
  });
}
