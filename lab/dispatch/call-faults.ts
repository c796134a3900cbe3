import type { Fault } from '../fault-spec.ts';
import type { Target } from '../faults.ts';
import { isClassName } from '../model/model.ts';
import type { ParamModel } from '../model/model.ts';
import type { Value } from '../model/types.ts';
import { asText } from '../model/types.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import type { Prepared } from './prepare.ts';

/** Everything that names an object in a call: references given, their uuids and names, and the texts given. */
function namedObjects(world: World, params: readonly ParamModel[], args: readonly Value[]): Set<string> {
  const found = new Set<string>();
  args.forEach((value, at) => {
    const type = params[at]?.type;
    if (typeof value === 'string') found.add(value);
    if (type?.kind === 'record') found.add(asText((value as { name_label?: Value }).name_label));
    const record =
      type?.kind === 'ref' && isClassName(type.cls)
        ? (world.store.find(type.cls, asText(value)) as { uuid: string; name_label?: string } | undefined)
        : undefined;
    if (record !== undefined) found.add(record.uuid).add(record.name_label ?? record.uuid);
  });
  return found;
}

/** What a fault may call a host by. */
export function namesOfHost(world: World, host: string): Set<string> {
  const found = world.store.find('host', host);
  return new Set(found === undefined ? [host] : [host, found.name_label, found.uuid, found.address]);
}

/** What faults and barriers see of a call; no more than its method and pool while nothing is planned. */
export function targetOf(world: World, host: string, { registered, args }: Prepared): Target {
  const { message } = registered;
  const where = { method: message.fullName, pool: world.id };
  if (world.faults.isIdle) return { ...where, objects: new Set() };
  return { ...where, objects: namedObjects(world, message.params, args), host: namesOfHost(world, host) };
}

/** Whether the caller gets no whole answer. */
export function losesAnswer(fault: Fault | undefined): boolean {
  if (fault?.kind === 'cut') return fault.at !== 'after';
  return fault !== undefined && ['reply-lost', 'late-effect', 'late-request'].includes(fault.kind);
}

/** What the caller is told before its call is looked at, if that is the fault. */
export function earlyRefusal(world: World, session: string, fault: Fault | undefined): XapiError | undefined {
  if (fault?.kind === 'session-expired') {
    if (world.sessions.isKnown(session)) world.sessions.end(session);
    return new XapiError('SESSION_INVALID', session);
  }
  if (fault?.kind !== 'host-is-slave') return undefined;
  return new XapiError('HOST_IS_SLAVE', fault.address ?? world.store.get('host', world.pool.master).address);
}
