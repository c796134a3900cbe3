import type { CallLog } from '../call-log.ts';
import type { FaultPlan } from '../faults.ts';
import type { Vendor } from '../patching/vendor.ts';
import type { Product } from '../products.ts';
import { Contents } from './contents.ts';
import type { Derivations } from './derivations.ts';
import { Events } from './events.ts';
import type { Guests, RunningGuest } from './guests.ts';
import type { Identities } from './identities.ts';
import type { Latency } from './latency.ts';
import { Machines } from './machines.ts';
import type { KeptMachine } from './machines.ts';
import { Operations } from './operations.ts';
import { RestartHold } from './restart-hold.ts';
import { Sessions } from './sessions.ts';
import type { Site } from './site.ts';
import { Store } from './store.ts';
import { Tasks } from './tasks.ts';

export interface WorldParts {
  readonly id: string;
  readonly product: Product;
  readonly vendor: Vendor;
  readonly user: string;
  readonly password: string;
  readonly identities: Identities;
  readonly derivations: Derivations;
  readonly latency: Latency;
  readonly faults: FaultPlan;
  readonly log: CallLog;
  readonly guests: Guests;
  readonly guestSshPort: number;
  readonly site: Site;
  /** Whether its hosts are spoken to over TLS. */
  readonly tls: boolean;
  /** Told of what must not happen: the lab's own failure outside of any call. */
  readonly onFault: (error: unknown) => void;
}

/** Something of a pool that is no object: what was written to a disk, a guest's address, a host's power. Null: it is gone. */
export interface WorldFact {
  readonly kind: 'content' | 'guest' | 'note' | 'machine';
  /** The disk's reference, the VM's uuid, the note's name, the host's reference. */
  readonly key: string;
  readonly value: string | null;
}

/** A guest that has power, and the VM that it plays at present: it may move to another pool. */
export interface HousedGuest extends RunningGuest {
  readonly home: { world: World; vm: string };
}

function put(facts: Map<string, string>, key: string, value: string | null): void {
  if (value === null) facts.delete(key);
  else facts.set(key, value);
}

const keptMachine = ({ power, autoEnable }: KeptMachine): string => JSON.stringify({ power, autoEnable });

/** One pool: its objects and everything that acts on them. */
export class World {
  readonly id: string;
  readonly product: Product;
  readonly vendor: Vendor;
  readonly user: string;
  readonly password: string;
  readonly identities: Identities;
  readonly store: Store;
  readonly events: Events;
  readonly tasks: Tasks;
  readonly sessions: Sessions;
  readonly operations: Operations;
  readonly contents = new Contents((vdi, compressed) => this.keep({ kind: 'content', key: vdi, value: compressed }));
  readonly latency: Latency;
  readonly faults: FaultPlan;
  readonly log: CallLog;
  readonly guests: Guests;
  readonly guestSshPort: number;
  readonly site: Site;
  readonly tls: boolean;
  readonly onFault: (error: unknown) => void;
  /** VMs that are about to start on a host, which has their memory set aside. */
  readonly reserved = new Map<string, Set<string>>();
  /** By the VM's reference. */
  readonly runningGuests = new Map<string, HousedGuest>();
  /** Aborted when the lab closes: everything that waits gives up. */
  readonly closing = new AbortController();
  readonly machines: Machines;
  readonly restartHold: RestartHold;
  lastDomid = 0;
  private exported = 0;
  private coordinatorLife = new AbortController();
  private readonly guestAddresses = new Map<string, string>();
  private readonly notes = new Map<string, string>();
  private keeper: (fact: WorldFact) => void = () => undefined;

  constructor(parts: WorldParts) {
    this.id = parts.id;
    this.product = parts.product;
    this.vendor = parts.vendor;
    this.user = parts.user;
    this.password = parts.password;
    this.identities = parts.identities;
    this.latency = parts.latency;
    this.faults = parts.faults;
    this.log = parts.log;
    this.guests = parts.guests;
    this.guestSshPort = parts.guestSshPort;
    this.site = parts.site;
    this.tls = parts.tls;
    this.onFault = parts.onFault;
    this.store = new Store(parts.identities, parts.derivations);
    this.events = new Events(this.store, parts.product.model);
    this.tasks = new Tasks(this.store, this.latency);
    this.sessions = new Sessions(this.store, this.latency);
    this.operations = new Operations(this.store);
    this.restartHold = new RestartHold(parts.latency, this.closing.signal);
    this.machines = new Machines(
      this.closing.signal,
      (key, machine) => this.keep({ kind: 'machine', key, value: keptMachine(machine) }),
      parts.onFault,
    );
    this.store.onChange((change) => this.events.observe(change));
    this.store.onChange((change) => this.log.observe(change));
  }

  /** The pool's only object of its class, and the host that coordinates it. */
  get pool(): { readonly ref: string; readonly master: string } {
    const [first] = this.store.records('pool');
    if (first === undefined) throw new Error(`the world ${this.id} has no pool object`);
    return { ref: first[0], master: first[1].master };
  }

  /** Of the addresses at which its hosts are reached. */
  get scheme(): 'http' | 'https' {
    return this.tls ? 'https' : 'http';
  }

  /** Aborted when the coordinator's toolstack stops, which ends every call under way, or when the lab closes. */
  get life(): AbortSignal {
    return AbortSignal.any([this.coordinatorLife.signal, this.closing.signal]);
  }

  /** The pool's API is away from here on, and with it every session, task and call under way. */
  endLife(): void {
    this.coordinatorLife.abort();
    this.coordinatorLife = new AbortController();
    this.tasks.forgetAll();
    this.events.restart();
  }

  /** Who is told of what a restart must not lose, beside the objects. */
  onFact(keeper: (fact: WorldFact) => void): void {
    this.keeper = keeper;
  }

  /** The address that a VM's guest had last, by the VM's uuid: it gets the same one again. */
  guestAddress(uuid: string): string | undefined {
    return this.guestAddresses.get(uuid);
  }

  setGuestAddress(uuid: string, address: string | null): void {
    put(this.guestAddresses, uuid, address);
    this.keep({ kind: 'guest', key: uuid, value: address });
  }

  /** What the daemon keeps outside of its records: files on a host's disk, installed packages. */
  note(name: string): string | undefined {
    return this.notes.get(name);
  }

  setNote(name: string, value: string | null): void {
    put(this.notes, name, value);
    this.keep({ kind: 'note', key: name, value });
  }

  /** Every fact of this moment. */
  facts(): WorldFact[] {
    return [
      ...this.contents.dump().map(([key, value]): WorldFact => ({ kind: 'content', key, value })),
      ...[...this.guestAddresses].map(([key, value]): WorldFact => ({ kind: 'guest', key, value })),
      ...[...this.notes].map(([key, value]): WorldFact => ({ kind: 'note', key, value })),
      ...this.machines
        .all()
        .map(([key, machine]): WorldFact => ({ kind: 'machine', key, value: keptMachine(machine) })),
    ];
  }

  /** Takes over a fact of before. */
  learn({ kind, key, value }: WorldFact): void {
    if (kind === 'content') this.contents.load(key, value);
    else if (kind === 'machine') Object.assign(this.machines.of(key), JSON.parse(value ?? '{}'));
    else put(kind === 'guest' ? this.guestAddresses : this.notes, key, value);
  }

  private keep(fact: WorldFact): void {
    this.keeper(fact);
  }

  /** The hypervisor hands out domain ids upwards and none twice. */
  nextDomid(): number {
    this.lastDomid += 1;
    return this.lastDomid;
  }

  /** The first of so many numbers for the objects of an export; the daemon counts on from one export to the next. */
  takeExportNumbers(count: number): number {
    this.exported += count;
    return this.exported - count;
  }

  /** What the daemon's sweep removes every 30 seconds. */
  sweep(nowMs: number): void {
    this.tasks.expire(nowMs);
    this.sessions.expire(nowMs);
  }
}
