import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenCall } from '../call-log.ts';
import { withoutAsync } from '../call-log.ts';
import type { Fault } from '../fault-spec.ts';
import type { Target } from '../faults.ts';
import { isClassName } from '../model/model.ts';
import type { ParamModel } from '../model/model.ts';
import type { Value } from '../model/types.ts';
import type { DecodedCall } from '../wire/codec.ts';
import type { Result } from '../wire/render.ts';
import { render } from '../wire/render.ts';
import { xmlPrinter } from '../wire/xml-printer.ts';
import type { World } from '../world/world.ts';
import { XapiError, handleInvalid } from '../xapi-error.ts';
import type { Call } from './call.ts';
import { earlyRefusal, losesAnswer, targetOf } from './call-faults.ts';
import { internalCall } from './call.ts';
import type { Prepared } from './prepare.ts';
import { CoordinatorAway, prepare } from './prepare.ts';
import type { Registered, Registry } from './registry.ts';
import { nullRef } from '../world/identities.ts';

/** The answer's text, with the wish that the connection be cut in the middle of it or behind it; or that it be cut without one. */
export type Reply = { readonly body: string; readonly cut?: 'mid' | 'after' } | 'cut';

const stringSet = { kind: 'set', of: { kind: 'string' } } as const;

/** An error as the API tells it: anything that is no XapiError is a fault of the lab and shown as an internal error. */
export function describeError(error: unknown): readonly string[] {
  if (error instanceof XapiError) return error.description;
  const { name, stack } = (error ?? {}) as { name?: unknown; stack?: unknown };
  if (name === 'AbortError') return ['TASK_CANCELLED', ''];
  return ['INTERNAL_ERROR', String(stack ?? error)];
}

/** Notes in the log how the call ended; answers the error as the API tells it. */
function failed(record: OpenCall, error: unknown): readonly string[] {
  record.outcome = 'failed';
  record.error = describeError(error);
  return record.error;
}

function maskParam(param: ParamModel, value: Value): Value {
  return /pwd|password|secret|private_key/i.test(param.name) ? '***' : value;
}

/** What the call met when it came in. */
interface Met {
  readonly record: OpenCall;
  readonly target: Target;
  readonly fault: Fault | undefined;
}

/** A call on its way through faults, barriers and its effect. */
interface Flight extends Met {
  readonly prepared: Prepared;
  readonly call: Call;
}

/** Takes a decoded call through checks, faults and its effect to an answer; the only way from outside to the world. */
export class Dispatcher {
  private readonly world: World;
  private readonly registry: Registry;

  constructor(world: World, registry: Registry) {
    this.world = world;
    this.registry = registry;
  }

  /** Never rejects: whatever goes wrong is an answer. */
  async handle(decoded: DecodedCall, host: string): Promise<Reply> {
    const { method } = decoded;
    if (method === 'system.listMethods') {
      return { body: (decoded.bare ?? decoded.success)(stringSet, this.registry.names()) };
    }
    try {
      const prepared = await this.prepare(decoded, host);
      return await this.perform(decoded, prepared, host);
    } catch (error) {
      if (error instanceof CoordinatorAway) return 'cut';
      const mutating = this.registry.find(withoutAsync(method))?.mutating ?? false;
      return { body: decoded.failure(failed(this.open(method, [], host, mutating), error)) };
    }
  }

  /** Rejects with CoordinatorAway when the member stops before its coordinator is back. */
  private async prepare({ method, params }: DecodedCall, host: string): Promise<Prepared> {
    for (;;) {
      try {
        return prepare(this.registry, this.world, host, method, params);
      } catch (error) {
        if (!(error instanceof CoordinatorAway)) throw error;
        await this.world.machines.nextChange();
        if (this.world.machines.of(host).toolstack === 'down' || this.world.closing.signal.aborted) throw error;
      }
    }
  }

  private open(method: string, params: readonly Value[], host: string, mutating: boolean): OpenCall {
    const { name_label: name } = this.world.store.get('host', host);
    return this.world.log.open({ method, params, mutating, pool: this.world.id, host: name });
  }

  private async perform(decoded: DecodedCall, prepared: Prepared, host: string): Promise<Reply> {
    const { message, mutating } = prepared.registered;
    const masked = prepared.args.map((value, at) =>
      maskParam(message.params[at] ?? { name: '', type: message.result, required: true }, value),
    );
    const record = this.open(decoded.method, masked, host, mutating);
    const target = targetOf(this.world, host, prepared);
    const fault = this.world.faults.take(target, record);
    const refusal = earlyRefusal(this.world, prepared.session, fault);
    if (refusal !== undefined) return { body: decoded.failure(failed(record, refusal)) };
    record.cut = losesAnswer(fault);
    const isDown = fault !== undefined && this.world.machines.of(host).toolstack === 'down';
    if (isDown || (fault?.kind === 'cut' && fault.at === 'before')) {
      record.cut = true;
      record.outcome = 'dropped';
      return 'cut';
    }
    if (fault?.kind === 'late-request') {
      void this.arriveLate(decoded, host, record, fault.delayMs);
      return 'cut';
    }
    const answering = this.answer(decoded, prepared, host, { record, target, fault });
    if (fault?.kind === 'late-effect') return 'cut';
    const body = await answering;
    if (fault?.kind === 'reply-lost') return 'cut';
    return fault?.kind === 'cut' && fault.at !== 'before' ? { body, cut: fault.at } : { body };
  }

  /** Everything about the call, the look at its session included, happens when it arrives; nobody is there for an answer. */
  private async arriveLate(decoded: DecodedCall, host: string, record: OpenCall, delayMs: number): Promise<void> {
    try {
      await sleep(delayMs, undefined, { signal: this.world.closing.signal });
      const prepared = prepare(this.registry, this.world, host, decoded.method, decoded.params);
      const target = targetOf(this.world, host, prepared);
      await this.answer(decoded, prepared, host, { record, target, fault: undefined });
    } catch (error) {
      failed(record, error);
    }
  }

  /** The answer's text; what an Async call does goes on behind it. Never rejects. */
  private async answer(decoded: DecodedCall, prepared: Prepared, host: string, met: Met): Promise<string> {
    if (prepared.isAsync)
      return this.startTask(decoded, {
        ...met,
        prepared,
        call: this.taskCall(prepared, host, `Async.${prepared.registered.message.fullName}`),
      });
    const call = this.plainCall(prepared, host);
    try {
      const result = await this.effect({ ...met, prepared, call });
      return decoded.success(prepared.registered.message.result, result);
    } catch (error) {
      return decoded.failure(describeError(error));
    } finally {
      this.world.tasks.forget(call.operationId);
    }
  }

  private startTask(decoded: DecodedCall, flight: Flight): string {
    const task = flight.call.operationId;
    const { result: type } = flight.prepared.registered.message;
    flight.record.taskRef = task;
    void this.effect(flight).then(
      (result) => this.world.tasks.succeed(task, render(xmlPrinter, this.world.product.model, type, result)),
      (error: unknown) => this.world.tasks.fail(task, describeError(error)),
    );
    return decoded.success({ kind: 'ref', cls: 'task' }, task);
  }

  /** A message that could run as a task has one for as long as its call lasts, whoever called it. */
  private plainCall(prepared: Prepared, host: string): Call {
    const { registered, session } = prepared;
    const { message } = registered;
    if (message.hasAsync) return this.taskCall(prepared, host, message.fullName);
    return { ...internalCall(this.world, message.fullName), session, host };
  }

  private taskCall({ registered, session }: Prepared, host: string, label: string): Call {
    const { world } = this;
    const method = registered.message.fullName;
    const { ref, signal } = world.tasks.start(label, host);
    return {
      world,
      method,
      session,
      host,
      operationId: ref,
      signal: AbortSignal.any([signal, world.life]),
      progress: (fraction, cancelPointsSeen) => world.tasks.progress(ref, fraction, cancelPointsSeen),
      cancel: () => world.tasks.cancel(ref, `DummyRef:|${world.identities.uuid()}|task.cancel`),
    };
  }

  /** The call's effect between its barriers; what came of it goes into the log. */
  private effect({ prepared, call, record, target, fault }: Flight): Promise<Result> {
    const reached = { method: record.method, taskRef: record.taskRef, callId: record.seq };
    return this.world.log.attribute(record, async () => {
      try {
        if (fault?.kind === 'slow' || fault?.kind === 'late-effect')
          await sleep(fault.delayMs, undefined, { signal: call.signal });
        await this.world.faults.pass('before-effect', target, { ...reached, taskRef: record.taskRef });
        if (fault?.kind === 'refused') throw new XapiError(...fault.error);
        const result = await this.invoke(prepared.registered, call, prepared.args);
        await this.world.faults.pass('after-effect', target, { ...reached, taskRef: record.taskRef });
        record.outcome = 'ok';
        return result;
      } catch (error) {
        failed(record, error);
        throw error;
      }
    });
  }

  private async invoke({ message, handler }: Registered, call: Call, args: readonly Value[]): Promise<Result> {
    if (!message.implicit) this.checkReferences(message.params, args);
    if (handler === undefined) throw new XapiError('NOT_IMPLEMENTED', message.fullName);
    if (message.implicit)
      await this.world.latency.spend(message.name.startsWith('get') ? 'getter' : 'setter', call.signal);
    return ((await handler(call, ...args)) as Result | undefined) ?? '';
  }

  /** The object that a call is about must exist, others too unless none is named. */
  private checkReferences(params: readonly ParamModel[], args: readonly Value[]): void {
    params.forEach(({ type }, at) => {
      const value = args[at];
      if (type.kind !== 'ref' || typeof value !== 'string' || (at > 0 && value === nullRef)) return;
      const { cls } = type;
      if (isClassName(cls) && cls !== 'session' && this.world.store.find(cls, value) === undefined)
        throw handleInvalid(cls, value);
    });
  }
}
