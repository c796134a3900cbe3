import type { PoolScenario, VmScenario } from './scenario.ts';
import type { PoolText, ScenarioText } from './scenario-schema.ts';

const bytesPerGib = 2 ** 30;

/** Something wrong with what a scenario says, at its path in the file. */
type Report = (path: readonly (string | number)[], message: string) => void;

type Names = Readonly<Record<string, string | number>>;

const fill = (pattern: string, names: Names): string =>
  pattern.replace(/\{(\w+)\}/g, (whole, key: string) => String(names[key] ?? whole));

/** The thing so many times, with its number for {n}. */
function repeat<T extends { readonly name: string; readonly count: number }>(things: readonly T[], names: Names): T[] {
  const all: T[] = [];
  for (const thing of things)
    for (let n = 1; n <= thing.count; n++) all.push({ ...thing, name: fill(thing.name, { ...names, n }) });
  return all;
}

function spread<T extends { readonly name: string; readonly hosts?: 'each' | readonly string[] | undefined }>(
  things: readonly T[],
  hostNames: readonly string[],
  names: Names,
): (Omit<T, 'hosts'> & { hosts: readonly string[] })[] {
  return things.flatMap(({ hosts, ...thing }) => {
    if (hosts === 'each') {
      return hostNames.map((host) => ({ ...thing, name: fill(thing.name, { ...names, host }), hosts: [host] }));
    }
    const seenBy = hosts?.map((host) => fill(host, names)) ?? hostNames;
    return [{ ...thing, name: fill(thing.name, names), hosts: seenBy }];
  });
}

type VmText = PoolText['vms'][number];

/** None where the template, or a host for it, is missing: that is reported. */
function vmOf(pool: PoolScenario, vm: VmText, turn: number, names: Names): VmScenario[] {
  const template = pool.templates.find(({ name }) => name === vm.template);
  if (template === undefined) return [];
  const { name, host, powerState, count: _count, template: _name, ...about } = vm;
  const hosts = host === undefined ? hostsFor(pool, template) : [fill(host, names)];
  const { memoryBytes, vcpus, diskBytes: sizeBytes, sr, network } = template;
  const made = { ...about, name, memoryBytes, vcpus, disks: [{ sr, sizeBytes }], networks: [network] };
  return [powerState === 'Running' ? { ...made, host: hosts[turn % hosts.length] } : made];
}

/** The hosts that see the template's storage and network. */
function hostsFor(
  { hosts, srs, networks }: PoolScenario,
  { sr, network }: PoolScenario['templates'][number],
): string[] {
  const [seesSr, seesNetwork] = [srs.find(({ name }) => name === sr), networks.find(({ name }) => name === network)];
  return hosts
    .map(({ name }) => name)
    .filter((name) => seesSr?.hosts.includes(name) === true && seesNetwork?.hosts.includes(name) === true);
}

function poolOf(text: PoolText, n: number): PoolScenario {
  const id = fill(text.id, { n });
  const names = { pool: id };
  const hosts = repeat(text.hosts, names).map(({ name, memoryGiB, cpus }) => {
    return { name, memoryBytes: memoryGiB * bytesPerGib, cpus };
  });
  const hostNames = hosts.map(({ name }) => name);
  const pool = {
    id,
    ...(text.product === undefined ? {} : { product: text.product }),
    user: text.user,
    password: text.password,
    ...(text.tls === undefined ? {} : { tls: text.tls }),
    hosts,
    srs: spread(text.srs, hostNames, names).map(({ sizeGiB, ...sr }) => ({ ...sr, sizeBytes: sizeGiB * bytesPerGib })),
    networks: spread(text.networks, hostNames, names),
    templates: text.templates.map(({ diskGiB, memoryGiB, ...template }) => {
      return { ...template, diskBytes: diskGiB * bytesPerGib, memoryBytes: memoryGiB * bytesPerGib };
    }),
  };
  return { ...pool, vms: repeat(text.vms, names).flatMap((vm, at) => vmOf(pool, vm, at, names)) };
}

function twice(names: readonly string[]): string | undefined {
  return names.find((name, at) => names.indexOf(name) < at);
}

/** Names that nothing has, and names that two have. */
function checkPool(pool: PoolScenario, text: PoolText, report: Report): void {
  const { hosts, srs, networks, templates } = pool;
  const check = (path: (string | number)[], what: string, name: string, known: readonly string[]) => {
    if (!known.includes(name)) report(path, `there is no ${what} ${name}; the pool has ${known.join(', ')}`);
  };
  const [hostNames, srNames, networkNames] = [hosts, srs, networks].map((things) => things.map(({ name }) => name));
  for (const [kind, names = []] of Object.entries({ hosts: hostNames, srs: srNames, networks: networkNames })) {
    const double = twice(names);
    if (double !== undefined) report([kind], `two are named ${double}; write {n} into a name that is repeated`);
  }
  for (const [kind, things] of Object.entries({ srs, networks }))
    for (const { hosts: seenBy } of things) for (const host of seenBy) check([kind], 'host', host, hostNames ?? []);
  templates.forEach((template, at) => {
    check(['templates', at, 'sr'], 'SR', template.sr, srNames ?? []);
    check(['templates', at, 'network'], 'network', template.network, networkNames ?? []);
  });
  const templateNames = templates.map(({ name }) => name);
  text.vms.forEach(({ template, host }, at) => {
    check(['vms', at, 'template'], 'template', template, templateNames);
    if (host !== undefined && !host.includes('{')) check(['vms', at, 'host'], 'host', host, hostNames ?? []);
  });
  checkRoom(pool, report);
}

/** What a host keeps for itself: its control domain and the hypervisor. */
const hostOwnBytes = 2.5 * bytesPerGib;

/** Running VMs have to fit the memory of the hosts they are on. */
function checkRoom({ hosts, vms = [] }: PoolScenario, report: Report): void {
  for (const { name, memoryBytes } of hosts) {
    const wanted = vms.filter(({ host }) => host === name).reduce((sum, vm) => sum + vm.memoryBytes, hostOwnBytes);
    if (wanted > memoryBytes) {
      const [needs, has] = [wanted, memoryBytes].map((bytes) => Math.ceil(bytes / bytesPerGib));
      report(['vms'], `the running VMs of host ${name} need ${needs} GiB with what it keeps for itself; it has ${has}`);
    }
  }
}

/** Every pool of a scenario, as a lab is started with; what does not fit together is reported. */
export function poolsOf({ pools }: ScenarioText, report: Report): PoolScenario[] {
  const all = pools.flatMap((text, at) => {
    const made = Array.from({ length: text.count }, (_, index) => poolOf(text, index + 1));
    const [first] = made;
    if (first !== undefined) checkPool(first, text, (path, message) => report(['pools', at, ...path], message));
    return made;
  });
  const double = twice(all.map(({ id }) => id));
  if (double !== undefined) report(['pools'], `two pools have the id ${double}; write {n} into an id that is repeated`);
  return all;
}
