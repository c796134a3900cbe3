import type { Offer } from './patching/catalogue.ts';

const gib = 2 ** 30;

export interface HostScenario {
  readonly name: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Room for patches in its control domain; 4 GiB if left out. */
  readonly patchSpaceBytes?: number;
}

export interface SrScenario {
  readonly name: string;
  readonly sizeBytes: number;
  /** Names of the hosts that see it; all of them: a shared one. */
  readonly hosts: readonly string[];
}

export interface NetworkScenario {
  readonly name: string;
  /** Names of the hosts that have an interface in it. */
  readonly hosts: readonly string[];
  /** The tenant's own: addresses come from its router or by hand, and the lab's side cannot reach them. */
  readonly isolated?: boolean;
}

export interface TemplateScenario {
  readonly name: string;
  readonly sr: string;
  readonly network: string;
  readonly diskBytes: number;
  readonly memoryBytes: number;
  readonly vcpus: number;
}

export interface VmScenario {
  readonly name: string;
  /** Where it runs. Left out: it is halted. */
  readonly host?: string | undefined;
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly disks: readonly { readonly sr: string; readonly sizeBytes: number }[];
  readonly networks: readonly string[];
  /** Whether a running one has an agent that lets it be moved and shut down cleanly; true if left out. */
  readonly guestTools?: boolean;
  /** Ids of its host's PCI devices that it holds, as `0000:04:00.0`: it can be on no other host. */
  readonly pinnedPciIds?: readonly string[];
  /** `restart`, `best-effort` or empty. */
  readonly haRestartPriority?: string;
  readonly tags?: readonly string[];
}

/** What a pool is made of at first. The first host is the coordinator, the first SR the default one. */
export interface PoolScenario {
  readonly id: string;
  /** One of products.ts; XenServer 8.4 if left out. */
  readonly product?: string;
  /** What its vendor has for it; what the catalogue has for its product if left out. */
  readonly updates?: Offer;
  readonly user: string;
  readonly password: string;
  /** Whether its hosts answer over TLS, each with a certificate that it has signed itself; false if left out. */
  readonly tls?: boolean;
  readonly hosts: readonly HostScenario[];
  readonly srs: readonly SrScenario[];
  readonly networks: readonly NetworkScenario[];
  readonly templates: readonly TemplateScenario[];
  /** VMs that are there from the beginning. Running ones with guest tools come up with the lab. */
  readonly vms?: readonly VmScenario[];
}

/** Three hosts with shared storage; the third lacks the storage network, the second SR is the first host's own. */
export function defaultPool(id = 'ams1'): PoolScenario {
  const names = [`${id}-h1`, `${id}-h2`, `${id}-h3`];
  return {
    id,
    user: 'root',
    password: 'lab-password',
    hosts: names.map((name) => ({ name, memoryBytes: 32 * gib, cpus: 16 })),
    srs: [
      { name: 'shared', sizeBytes: 1024 * gib, hosts: names },
      { name: 'local-h1', sizeBytes: 200 * gib, hosts: names.slice(0, 1) },
    ],
    networks: [
      { name: 'tenant', hosts: names },
      { name: 'storage', hosts: names.slice(0, 2) },
    ],
    templates: [
      { name: 'debian-12', sr: 'shared', network: 'tenant', diskBytes: 10 * gib, memoryBytes: 2 * gib, vcpus: 2 },
    ],
  };
}

/** The usual pool as one of the products of products.ts. */
export const poolOf = (product: string, id: string = product): PoolScenario => ({ ...defaultPool(id), product });

/**
 * The default pool with networks for virtual routers: the lab reaches guests in `management` only; `tenant` and `public` are joined by
 * nothing but a router. Every namespace guest has the daemons of a router; the template only gives it its size.
 */
export function routedPool(id = 'ams1'): PoolScenario {
  const pool = defaultPool(id);
  const hosts = pool.hosts.map(({ name }) => name);
  const template = { sr: 'shared', network: 'management', diskBytes: 10 * gib };
  return {
    ...pool,
    networks: [
      { name: 'management', hosts },
      { name: 'tenant', hosts, isolated: true },
      { name: 'public', hosts, isolated: true },
    ],
    templates: [
      { name: 'debian-12', ...template, memoryBytes: 2 * gib, vcpus: 2 },
      { name: 'router', ...template, memoryBytes: gib / 2, vcpus: 1 },
    ],
  };
}
