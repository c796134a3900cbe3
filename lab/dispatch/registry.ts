import { movedMessages } from '../model/hidden-messages.ts';
import type { ApiModel, MessageModel } from '../model/model.ts';
import { parseType } from '../model/types.ts';
import type { Handler, Handlers } from './call.ts';
import { implicitHandler } from './implicit.ts';

export interface Registered {
  readonly message: MessageModel;
  /** Undefined: the message is official, the lab has no behaviour for it and says so when it is called. */
  readonly handler: Handler | undefined;
  readonly mutating: boolean;
}

/** Of messages that are not published. */
const hiddenHandlers: Readonly<Record<string, Handler>> = {
  'host.is_in_emergency_mode': ({ world, host }) => world.machines.of(host).toolstack === 'emergency',
  'host.ha_xapi_healthcheck': () => true,
  'pool.is_slave': ({ world }, host) => host !== world.pool.master,
};

const reads =
  /^(get|assert|compute|list|is|has|query|retrieve|check|can|test|probe|dmesg|maximise|crl_list|certificate_list)(_|$)/;

/** Whether a message is meant to change anything but sessions, tasks and event subscriptions. */
function isMutating({ cls, name }: MessageModel): boolean {
  return !['session', 'task', 'event', 'auth'].includes(cls) && !reads.test(name);
}

/** get_all_where and get_all_records_where exist for every class that can be listed; the data model does not print them. */
function queries(cls: MessageModel): MessageModel[] {
  const params = [{ name: 'expr', type: parseType('string'), required: true }];
  const name = { all: 'get_all_where', records: 'get_all_records_where' };
  const refs = parseType(`${cls.cls} ref set`);
  return [
    { ...cls, name: name.all, fullName: `${cls.cls}.${name.all}`, result: refs, params },
    { ...cls, name: name.records, fullName: `${cls.cls}.${name.records}`, params },
  ];
}

/** Every message of a release with what the lab does on it. */
export class Registry {
  private readonly byName = new Map<string, Registered>();
  private readonly byAlias = new Map<string, Registered>();

  constructor(model: ApiModel, behaviours: readonly Handlers[]) {
    const explicit = new Map(behaviours.flatMap((handlers) => Object.entries(handlers)));
    for (const { messages } of model.classes.values()) {
      const listed = messages.flatMap((m) => (m.implicit && m.name === 'get_all_records' ? [...queries(m), m] : [m]));
      for (const message of listed) this.add(message, explicit.get(message.fullName) as Handler | undefined);
    }
  }

  /** Also by the name with "_" for the dot. */
  find(name: string): Registered | undefined {
    return this.byName.get(name) ?? this.byAlias.get(name);
  }

  /** Full names of all messages, as system.listMethods gives them. */
  names(): string[] {
    const moved = new Set(Object.values(movedMessages).flat());
    return [...this.byName.keys()]
      .filter((name) => !moved.has(name))
      .flatMap((name) => [name, ...(movedMessages[name] ?? []).filter((other) => this.byName.has(other))]);
  }

  /** Official messages that the lab answers with NOT_IMPLEMENTED. */
  unmodelled(): string[] {
    return [...this.byName]
      .filter(([, { handler, message }]) => handler === undefined && !message.removed && !message.poolInternal)
      .map(([name]) => name);
  }

  private add(message: MessageModel, behaviour: Handler | undefined): void {
    const handler = behaviour ?? hiddenHandlers[message.fullName] ?? implicitHandler(message);
    const registered = { message, handler, mutating: isMutating(message) };
    this.byName.set(message.fullName, registered);
    this.byAlias.set(message.fullName.replace('.', '_'), registered);
  }
}
