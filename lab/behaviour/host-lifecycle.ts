import { setTimeout as sleep } from 'node:timers/promises';
import { afterHostStart, softwareAtStart } from '../patching/guidances.ts';
import type { Work } from '../world/latency.ts';
import type { Machine } from '../world/machines.ts';
import type { Place } from '../world/site.ts';
import type { World } from '../world/world.ts';
import { startAutomatically } from './auto-poweron.ts';
import { faultAt } from './fault-points.ts';
import { restartVms } from './ha-failover.ts';
import { haIsOn } from './ha-plan.ts';
import { waitsForStatefile } from './ha-statefile.ts';
import { haltGuests } from './host-guests.ts';
import { alertAbout, setLive } from './host-support.ts';
import { aheadOfCoordinator } from './versions.ts';

/** Every state of a host lasts at least this long, also in a lab that takes no time: an answer gets out, a client can see it. */
const momentMs = 50;

async function pass(world: World, work: Work, signal: AbortSignal): Promise<void> {
  await sleep(momentMs, undefined, { signal });
  await world.latency.spend(work, signal);
}

export const coordinatorIsUp = (world: World): boolean => world.machines.of(world.pool.master).toolstack === 'up';

/** The port closes. Where the coordinator's does, all sessions, tasks and calls under way are gone. */
export async function stopToolstack(world: World, host: string): Promise<void> {
  const machine = world.machines.of(host);
  const isCoordinator = world.pool.master === host;
  world.machines.setToolstack(host, 'down');
  machine.startupComplete = false;
  await machine.listener?.close();
  world.sessions.forget(host, isCoordinator);
  if (isCoordinator) world.endLife();
}

/** Seconds as the daemon writes them: later than every time that was told before this moment, and than `before`. */
const startTime = (before: string | undefined): string =>
  `${Math.max(Math.ceil(Date.now() / 1000), Number(before ?? 0) + 1)}.`;

function noteStart(world: World, host: string, booted: boolean): void {
  const { other_config: config } = world.store.get('host', host);
  const { agent_start_time: agent, boot_time: boot } = config;
  const now = startTime(agent);
  world.store.update('host', host, {
    enabled: false,
    other_config: { ...config, agent_start_time: now, ...(booted ? { boot_time: startTime(boot) } : {}) },
  });
}

function plugStorage(world: World, host: string, plugged: boolean): void {
  for (const pbd of world.store.get('host', host).PBDs) {
    world.store.update('PBD', pbd, { currently_attached: plugged });
  }
}

/** Whether the host reaches the pool's coordinator, or is it. */
function findsCoordinator(world: World, host: string, machine: Machine): boolean {
  const { master } = world.pool;
  if (master === host) return true;
  const told = machine.coordinatorAddress ?? world.store.get('host', master).address;
  return told === world.store.get('host', master).address && coordinatorIsUp(world);
}

/** Whether the host takes its place in the pool now; if not, it is in emergency mode until its coordinator starts again. */
function mayEnter(world: World, host: string, machine: Machine): boolean {
  machine.emergencyError = undefined;
  if (waitsForStatefile(world, host) || !findsCoordinator(world, host, machine)) return false;
  if (host === world.pool.master) return true;
  machine.emergencyError = aheadOfCoordinator(world, softwareAtStart(world, host, machine.power === 'rebooting'));
  if (machine.emergencyError === undefined) return true;
  alertAbout(world, 'XAPI_STARTUP_BLOCKED_AS_VERSION_HIGHER_THAN_COORDINATOR', host);
  return false;
}

/** The rest of a start, from where the host has found its place in the pool. */
async function enterPool(world: World, host: string, signal: AbortSignal): Promise<void> {
  const machine = world.machines.of(host);
  const booted = machine.power === 'rebooting';
  world.machines.setToolstack(host, 'up');
  machine.coordinatorAddress = undefined;
  const failed = booted ? await haltGuests(world, host) : [];
  if (booted) {
    plugStorage(world, host, false);
    machine.disabledUntilReboot = false;
  }
  noteStart(world, host, booted);
  afterHostStart(world, host, booted);
  world.store.update('host', host, { current_operations: {} });
  setLive(world, host, true);
  if (world.pool.master === host) welcomeMembers(world);
  await world.latency.spend('hostStartup', signal);
  signal.throwIfAborted();
  plugStorage(world, host, true);
  machine.startupComplete = true;
  world.machines.set(host, { power: 'on' });
  if (machine.autoEnable && !machine.disabledUntilReboot) world.store.update('host', host, { enabled: true });
  if (booted) startAutomatically(world);
  if (haIsOn(world)) world.machines.run(() => restartAfterStart(world, host, failed));
}

/** A coordinator that has just started looks for hosts that died before it; any start makes room for what did not fit. */
const restartAfterStart = (world: World, host: string, failed: readonly string[]): Promise<void> =>
  world.pool.master === host ? recoverFromLosses(world) : restartVms(world, failed);

/** The members that waited for their coordinator; those that do not answer are taken for dead. */
function welcomeMembers(world: World): void {
  for (const host of world.store.refs('host')) {
    const machine = world.machines.of(host);
    if (machine.toolstack === 'down') setLive(world, host, false);
    if (machine.toolstack !== 'emergency' || !mayEnter(world, host, machine)) continue;
    world.machines.run(() => enterPool(world, host, machine.begin()));
  }
}

async function startToolstack(world: World, host: string, signal: AbortSignal): Promise<void> {
  const machine = world.machines.of(host);
  signal.throwIfAborted();
  await machine.listener?.open();
  if (mayEnter(world, host, machine)) return enterPool(world, host, signal);
  world.machines.setToolstack(host, 'emergency');
}

async function boot(world: World, host: string, signal: AbortSignal): Promise<void> {
  const machine = world.machines.of(host);
  world.machines.set(host, { power: 'rebooting' });
  if (machine.disarmed === 'until reboot') machine.disarmed = undefined;
  const fault = faultAt(world, 'host.boot', 'host', host, host);
  if (fault?.kind === 'stays-down') return world.machines.set(host, { power: 'off' });
  await pass(world, 'hostReboot', signal);
  if (fault?.kind === 'slow') await sleep(fault.delayMs, undefined, { signal });
  await startToolstack(world, host, signal);
}

/** Begins what host.reboot and host.shutdown answered for: a moment later the host goes down, in good order. */
export function goDownLater(world: World, host: string, comesBack: boolean): void {
  const machine = world.machines.of(host);
  const signal = machine.begin();
  machine.disabledUntilReboot = true;
  setLive(world, host, false);
  world.machines.run(async () => {
    await pass(world, 'hostShutdownDelay', signal);
    await haltGuests(world, host);
    await stopToolstack(world, host);
    world.machines.set(host, { power: comesBack ? 'rebooting' : 'off' });
    if (comesBack) await boot(world, host, signal);
  });
}

/** Restarts the toolstack after the moment given; the VMs run on. `meanwhile` happens while it is down and tells as which host it starts again. */
export function restartToolstackLater(
  world: World,
  host: string,
  after: Work,
  meanwhile: () => Place = () => ({ world, host }),
): void {
  const signal = world.machines.of(host).begin();
  world.machines.run(async () => {
    await pass(world, after, signal);
    world.machines.set(host, { power: 'restarting' });
    await stopToolstack(world, host);
    const next = meanwhile();
    await pass(next.world, 'agentRestart', signal);
    await startToolstack(next.world, next.host, signal);
  });
}

/** The toolstack stops and stays down; the VMs run on. */
export function stopToolstackLater(world: World, host: string): void {
  const signal = world.machines.of(host).begin();
  world.machines.run(async () => {
    await pass(world, 'agentStopDelay', signal);
    await stopToolstack(world, host);
  });
}

/** Does what follows from a host's silence, unless it is heard of again before. */
export function whenUnheard(world: World, signal: AbortSignal, then: () => Promise<void>): void {
  world.machines.run(async () => {
    await pass(world, haIsOn(world) ? 'haHeartbeatLost' : 'heartbeatLost', signal);
    await then();
  });
}

/** With high availability: hosts that are down are given up, and their VMs restart on the others. */
export async function recoverFromLosses(world: World): Promise<void> {
  const failed: string[] = [];
  for (const host of world.store.refs('host')) {
    const { power, toolstack } = world.machines.of(host);
    if (toolstack !== 'down' || !['off', 'rebooting'].includes(power)) continue;
    setLive(world, host, false);
    alertAbout(world, 'HA_HOST_FAILED', host);
    failed.push(...(await haltGuests(world, host)));
  }
  await restartVms(world, failed);
}

/** Switches on a host that is off. */
export function powerOn(world: World, host: string): void {
  const signal = world.machines.of(host).begin();
  world.machines.run(() => boot(world, host, signal));
}

/** After the lab's own restart: what was under way goes on from its last state. */
export function resumeMachines(world: World): void {
  for (const [host, machine] of world.machines.all()) {
    if (machine.power === 'off') continue;
    const signal = machine.begin();
    if (machine.power === 'rebooting') world.machines.run(() => boot(world, host, signal));
    if (machine.power === 'restarting') world.machines.run(() => startToolstack(world, host, signal));
  }
}
