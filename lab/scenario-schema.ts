import { z } from 'zod';
import { faultSchema } from './fault-spec.ts';
import { productNames } from './products.ts';
import { workNames } from './world/latency.ts';

const name = z.string().min(1);
const gib = z.number().gt(0);
const count = z.int().min(1).max(100_000).default(1);
const cpus = z.int().min(1).max(1024);

/** Hosts by name; all of them if left out; `each` makes one of the thing for each host, whose name takes the place of {host}. */
const hosts = z.union([z.literal('each'), z.array(name).min(1)]).optional();

const host = z.strictObject({ name, count, memoryGiB: gib, cpus });
const sr = z.strictObject({ name, sizeGiB: gib, hosts });
const network = z.strictObject({ name, hosts, isolated: z.boolean().optional() });
const template = z.strictObject({ name, sr: name, network: name, diskGiB: gib, memoryGiB: gib, vcpus: cpus });
/** Made as from the template; running ones are spread over the hosts that see its storage and network, unless one is named. */
const vm = z.strictObject({
  name,
  count,
  template: name,
  powerState: z.enum(['Running', 'Halted']).default('Halted'),
  host: name.optional(),
  guestTools: z.boolean().default(true),
  pinnedPciIds: z.array(name).default([]),
  haRestartPriority: z.enum(['', 'restart', 'best-effort']).default(''),
  tags: z.array(name).default([]),
});

const pool = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9{][a-z0-9{}-]{0,62}$/, 'lower-case letters, digits and dashes, with {n} where there are several'),
  count,
  product: z.enum(productNames).optional(),
  user: name.default('root'),
  password: name.default('lab-password'),
  tls: z.boolean().optional(),
  hosts: z.array(host).min(1),
  srs: z.array(sr).min(1),
  networks: z.array(network).min(1),
  templates: z.array(template).default([]),
  vms: z.array(vm).default([]),
});

/** What a scenario file says. `{n}` in a name is the number, from 1, `{pool}` the pool's id. */
export const scenarioSchema = z.strictObject({
  /** What it is good for, in a sentence. */
  description: name,
  /** How many times faster than life; 1000 if left out. */
  speed: z.number().gt(0).optional(),
  /** `zero`: nothing takes time. `reference`: what is typical of a pool with shared storage. */
  latency: z.enum(['zero', 'reference']).optional(),
  /** What single kinds of work take instead, before division by the speed. */
  latenciesMs: z.partialRecord(z.enum(workNames), z.number().min(0)).optional(),
  /** The same seed gives the same references, uuids and MACs, and draws the same faults. */
  seed: z.int().optional(),
  /** `in-process`: every running VM answers SSH. `none`: it reports an address at which nobody answers. */
  guests: z.enum(['in-process', 'namespaces', 'none']).optional(),
  pools: z.array(pool).min(1),
  faults: z.array(faultSchema).default([]),
});

export type ScenarioText = z.output<typeof scenarioSchema>;
export type PoolText = ScenarioText['pools'][number];
