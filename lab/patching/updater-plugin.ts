import { setTimeout as sleep } from 'node:timers/promises';
import type { Call, Handlers } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { installSoftware } from './guidances.ts';
import type { Package } from './vendor.ts';

const usualRepositories = ['xcp-ng-base', 'xcp-ng-updates'];
const lockPollMs = 5;

/** The plugin's failures have no code of their own: the text is all. */
const pluginError = (text: string, ...details: readonly string[]) => new XapiError('-1', text, ...details);
const busyError = (operation: string) => pluginError(`The updater plugin is busy (current operation: ${operation})`);

const installedNote = (hostUuid: string) => `packages/${hostUuid}`;
const yumErrorNote = (hostUuid: string) => `yum-error/${hostUuid}`;

const identityOf = ({ name, version, release }: Package): string => `${name}-${version}-${release}`;

function installed(world: World, host: string): readonly string[] {
  return JSON.parse(world.note(installedNote(world.store.get('host', host).uuid)) ?? '[]') as readonly string[];
}

/** What yum on a host complains of on stderr when it is asked to update, until it is set to null: a foreign repository's conflict. */
export function setYumError(world: World, host: string, stderr: string | null): void {
  world.setNote(yumErrorNote(world.store.get('host', host).uuid), stderr);
}

function available(world: World, host: string): Package[] {
  const there = new Set(installed(world, host));
  return world.vendor.packages.filter((item) => !there.has(identityOf(item)));
}

function checkUpdate({ world }: Call, host: string): string {
  const listed = available(world, host).map(({ software: _software, ...shown }) => shown);
  return JSON.stringify(listed);
}

/** Long: yum runs until it is done. Throws what yum says on stderr. */
async function update({ world, signal }: Call, host: string, args: Readonly<Record<string, string>>): Promise<string> {
  const { uuid, software_version: running } = world.store.get('host', host);
  const repositories = [...usualRepositories, ...(args['repos'] ?? '').split(',').filter((name) => name !== '')];
  const command = ['yum', 'update', '--disablerepo="*"', `--enablerepo=${repositories.join(',')}`, '-y'];
  const wanted = (args['packages'] ?? '').split(/[\s,]+/).filter((name) => name !== '');
  await world.latency.spend('patchHost', signal);
  const complaint = world.note(yumErrorNote(uuid));
  if (complaint !== undefined) throw pluginError(`Command '${command.join(' ')}' failed with code: 1`, complaint);
  const chosen = available(world, host).filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  world.setNote(installedNote(uuid), JSON.stringify([...installed(world, host), ...chosen.map(identityOf)]));
  const software = Object.assign({}, ...chosen.map((item) => item.software ?? {})) as Readonly<Record<string, string>>;
  if (Object.entries(software).some(([key, value]) => running[key] !== value))
    installSoftware(world, host, { at: 'reboot', software });
  return JSON.stringify({ returncode: 0, command: [...command, ...wanted], stdout: 'Complete!\n', stderr: '' });
}

interface Operation {
  readonly name: string;
  /** How long it waits for another one's lock, in milliseconds of the reference. */
  readonly patienceMs: number;
  readonly run: (call: Call, host: string, args: Readonly<Record<string, string>>) => string | Promise<string>;
}

const operations: readonly Operation[] = [
  { name: 'check_update', patienceMs: 0, run: checkUpdate },
  { name: 'update', patienceMs: 10_000, run: update },
  {
    name: 'get_proxies',
    patienceMs: 0,
    run: () => JSON.stringify(Object.fromEntries(usualRepositories.map((name) => [name, '_none_']))),
  },
];

/** One operation per host at a time: only an update waits for another operation, and never for another update. */
async function lock({ world, signal }: Call, host: string, { name, patienceMs }: Operation): Promise<void> {
  const { busy } = world.vendor;
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const current = busy.get(host);
    if (current === undefined) break;
    if (name === 'update' && current === 'update') throw pluginError('Update already in progress');
    if (Date.now() >= deadline) throw busyError(current);
    await sleep(lockPollMs, undefined, { signal });
  }
  busy.set(host, name);
}

async function runUpdater(
  call: Call,
  host: string,
  fn: string,
  args: Readonly<Record<string, string>>,
): Promise<string> {
  const operation = operations.find(({ name }) => name === fn);
  if (operation === undefined) throw new XapiError('UNKNOWN_XENAPI_PLUGIN_FUNCTION', fn);
  await lock(call, host, operation);
  try {
    return await operation.run(call, host, args);
  } finally {
    call.world.vendor.busy.delete(host);
  }
}

/** host.call_plugin: XCP-ng's updater.py, the only plugin of the lab's hosts. */
export const pluginBehaviour: Handlers = {
  'host.call_plugin': (call, host, plugin, fn, args) => {
    if (plugin !== 'updater.py' || call.world.product.patching !== 'updater.py')
      throw new XapiError('XENAPI_MISSING_PLUGIN', plugin);
    return runUpdater(call, host, fn, args);
  },
};
