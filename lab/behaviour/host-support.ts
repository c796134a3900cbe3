import type { Call } from '../dispatch/call.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { postAlert } from './alert.ts';

/** Throws HOST_OFFLINE for a host that the pool knows to be down, CANNOT_CONTACT_HOST for one that it does not know of yet. */
export function assertHostReachable(world: World, host: string): void {
  const { metrics } = world.store.get('host', host);
  if (!world.store.get('host_metrics', metrics).live) throw new XapiError('HOST_OFFLINE', host);
  if (world.machines.of(host).toolstack !== 'up') throw new XapiError('CANNOT_CONTACT_HOST', host);
}

/** Throws HOST_IS_LIVE for a host that the pool hears of, and for the one that is asked. */
export function assertDead(world: World, host: string): void {
  const { metrics } = world.store.get('host', host);
  if (host === world.pool.master || world.store.get('host_metrics', metrics).live) {
    throw new XapiError('HOST_IS_LIVE', host);
  }
}

export function setLive(world: World, host: string, live: boolean): void {
  world.store.update('host_metrics', world.store.get('host', host).metrics, { live });
  // Its allowed operations follow from that as well.
  world.store.update('host', host, {});
}

/** An alert about a host. */
export function alertAbout(world: World, name: string, host: string): void {
  const { uuid, name_label: label } = world.store.get('host', host);
  postAlert(world, name, 'Host', uuid, `${name.replaceAll('_', ' ').toLowerCase()}: ${label}`);
}

/** Runs an operation of a host in its turn; other calls see it in current_operations meanwhile. */
export async function hostOperation<T>(
  call: Call,
  host: string,
  name: string,
  work: () => T | Promise<T>,
  check: () => void = () => undefined,
): Promise<T> {
  const operation = { cls: 'host', ref: host, name, id: call.operationId, signal: call.signal, check } as const;
  return call.world.operations.run(operation, call.cancel, work);
}

/** The VMs that run or are paused on a host, without its control domain. */
export function guestsOn(world: World, host: string): string[] {
  return world.store.get('host', host).resident_VMs.filter((vm) => !world.store.get('VM', vm).is_control_domain);
}
