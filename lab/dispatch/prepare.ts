import type { MessageModel } from '../model/model.ts';
import type { Value } from '../model/types.ts';
import type { Rpc } from '../wire/rpc.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { withoutAsync } from '../call-log.ts';
import { decode } from './decode.ts';
import { isEmergencyCall } from './emergency.ts';
import type { Registered, Registry } from './registry.ts';
import { asText } from '../model/types.ts';

/** A call that passed every check that comes before its effect. */
export interface Prepared {
  readonly registered: Registered;
  readonly isAsync: boolean;
  readonly session: string;
  readonly args: readonly Value[];
}

/** A member has to ask its coordinator, which does not answer: the caller waits. */
export class CoordinatorAway extends Error {}

/** Only a host's own sessions, and only for what needs no database, can be judged without the coordinator. */
function checkSession(world: World, host: string, session: string, name: string, poolInternal = false): void {
  const isLocal = world.sessions.isLocal(session, host);
  if (!(isLocal && isEmergencyCall(name)) && world.machines.of(world.pool.master).toolstack !== 'up')
    throw new CoordinatorAway();
  if (isLocal) return;
  const isKnown = world.sessions.isKnown(session);
  if (isKnown && poolInternal)
    throw new XapiError('INTERNAL_ERROR', `Internal API "${name}" call attempted with non-pool (external) session`);
  if (isKnown && host !== world.pool.master) throw hostIsSlave(world);
  world.sessions.use(session);
}

/** The one hint a member gives: where its coordinator is. */
function hostIsSlave(world: World): XapiError {
  return new XapiError('HOST_IS_SLAVE', world.store.get('host', world.pool.master).address);
}

function checkArity({ fullName, params, hasSession }: MessageModel, given: number): void {
  const got = given - (hasSession ? 1 : 0);
  const required = params.filter((param) => param.required).length;
  // What has optional parameters takes any number of further arguments.
  const limit = required < params.length ? Infinity : required;
  if (got < required || got > limit) {
    throw new XapiError('MESSAGE_PARAMETER_COUNT_MISMATCH', fullName, String(required), String(got));
  }
}

function unknownMethod(world: World, host: string, name: string, params: readonly Rpc[]): XapiError {
  const [first] = params;
  if (first !== undefined)
    checkSession(world, host, asText(decode(world.product.model, { kind: 'string' }, first)), name);
  return new XapiError('MESSAGE_METHOD_UNKNOWN', name);
}

/** The arguments as values, from left to right; those of a removed message are not looked at. */
function decodeArgs({ params, removed }: MessageModel, given: readonly Rpc[], { product }: World): Value[] {
  const taken = removed ? [] : params.slice(0, given.length);
  return taken.map(({ type }, at) => decode(product.model, type, given[at] ?? null));
}

/**
 * The checks before any effect, in the genuine order: the method (an unknown one after its first argument as a session), arity,
 * types from left to right with the session first, the session, whether it is removed, its Async form. Throws the official
 * error, or CoordinatorAway.
 */
export function prepare(
  registry: Registry,
  world: World,
  host: string,
  method: string,
  params: readonly Rpc[],
): Prepared {
  const name = withoutAsync(method);
  const isAsync = name !== method;
  const registered = registry.find(name);
  if (registered === undefined) throw unknownMethod(world, host, name, params);
  const { message } = registered;
  checkArity(message, params.length);
  const sessionParam = message.hasSession ? params[0] : undefined;
  const session =
    sessionParam === undefined ? '' : asText(decode(world.product.model, { kind: 'string' }, sessionParam));
  const args = decodeArgs(message, params.slice(message.hasSession ? 1 : 0), world);
  if (message.hasSession) checkSession(world, host, session, name, message.poolInternal);
  if (message.removed) throw new XapiError('MESSAGE_REMOVED');
  if (isAsync && !message.hasAsync) throw new XapiError('Fault', `No async mode for this operation (rpc: ${name})`);
  if (!message.hasSession && host !== world.pool.master && !isEmergencyCall(name)) throw hostIsSlave(world);
  return { registered, isAsync, session, args };
}
