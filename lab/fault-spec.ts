import { z } from 'zod';
import { newestModel, publishedClasses } from './model/model.ts';

/** What is no call, but something that happens in the lab and can go wrong there. */
const points = ['guest.boot', 'guest.ssh', 'host.boot', 'sr.allocate', 'vm.migrate'] as const;
export type FaultPoint = (typeof points)[number];

export const isPoint = (method: string): boolean => points.some((point) => point === method);

const transferPattern = /^(GET|PUT) \/\S+$/;

function isCall(method: string): boolean {
  const known = [...publishedClasses.values(), ...newestModel.classes.values()];
  return (
    transferPattern.test(method) || known.some(({ messages }) => messages.some(({ fullName }) => fullName === method))
  );
}

/** Messages of the class that begin alike: what a mistyped one may have meant. */
function similar(method: string): string[] {
  const start = method.slice(0, method.indexOf('.') + 4).toLowerCase();
  const all = [...publishedClasses.values()].flatMap(({ messages }) => messages.map(({ fullName }) => fullName));
  return all.filter((name) => name.toLowerCase().startsWith(start)).slice(0, 12);
}

function noCall(method: string): string {
  if (/^(Internal)?Async\./.test(method)) return `${method}: leave the prefix out, the plain name means both forms`;
  const near = method.includes('.') ? similar(method) : [];
  const hint = near.length > 0 ? `; similar ones are ${near.join(', ')}` : '';
  return `${method} is neither a message of the API (such as VM.clone) nor a transfer (such as PUT /import_raw_vdi)${hint}`;
}

const text = z.string().min(1);
const call = text.refine(isCall, { error: ({ input }) => noCall(String(input)) });
const delayMs = z.number().min(0);

/** Which of all the things that could be meant. */
const where = {
  /** A reference, uuid or name_label among the call's parameters; any if left out. */
  object: text.optional(),
  /** The id of the pool that is called; any if left out. */
  pool: text.optional(),
  /** The first occasion on which it happens, counted from 1 when the plan is made; 1 if left out. */
  nth: z.int().min(1).optional(),
};

const occasions = {
  ...where,
  /** Name, uuid or address of the host that takes the call or on which it happens; any if left out. */
  host: text.optional(),
  /** On how many occasions in a row it happens; 1 if left out, or every one if there is a probability. */
  times: z.union([z.int().min(1), z.literal('always')]).optional(),
  /** Whether it happens is drawn on each of these occasions. */
  probability: z.number().gt(0).max(1).optional(),
  /** The same seed draws the same occasions; if left out it follows from how many faults were planned before. */
  seed: z.int().optional(),
};

function fault<Kind extends string, Shape extends z.ZodRawShape>(kind: Kind, shape: Shape) {
  return z.strictObject({ kind: z.literal(kind), ...shape, ...occasions }).readonly();
}

/** Without a method it happens to every call and transfer. */
const calls = { method: call.optional() };
const at = <Point extends FaultPoint>(point: Point) => ({ method: z.literal(point).default(point) });

/** A host that goes down on a call, or in the middle of a migration. */
const downfall = {
  method: z.union([z.literal('vm.migrate'), call]).optional(),
  /** Name, uuid or address of the host; if left out the one that the call is about, else the one on which it happens. */
  victim: text.optional(),
  /** Until it is made to run again; for good if left out. */
  forMs: delayMs.optional(),
};

/** Every fault that there is, by its kind. */
export const faultSchema = z.discriminatedUnion('kind', [
  /** Nothing is done; the call (of an Async one: its task) ends with the error. */
  fault('refused', { ...calls, error: z.tuple([text], z.string()).readonly() }),
  /** The effect is done (an Async call's task is made and runs), the connection is cut without an answer. */
  fault('reply-lost', calls),
  /** The connection is cut at once; an Async call's task is there at once too, what it does happens `delayMs` later. */
  fault('late-effect', { ...calls, delayMs }),
  /** The connection is cut at once; the request reaches the pool `delayMs` later, and only then is it checked and done. */
  fault('late-request', { ...calls, delayMs }),
  fault('slow', { method: z.union([z.enum(['guest.boot', 'host.boot']), call]).optional(), delayMs }),
  /** The connection is cut before anything is done, in the middle of the answer or upload, or behind the whole answer. */
  fault('cut', { ...calls, at: z.enum(['before', 'mid', 'after']).default('before') }),
  /** The caller's session ends before the call is looked at. */
  fault('session-expired', calls),
  /** Answered as by a member; `address` is where it says that its coordinator is, the real one if left out. */
  fault('host-is-slave', { ...calls, address: text.optional() }),
  /** The host loses its power: no port, no guests, at once. A call that it would have answered is cut before anything is done. */
  fault('host-dead', downfall),
  /** The host's daemon is gone at once and its VMs run on; with high availability the host is fenced when it is missed. */
  fault('toolstack-down', downfall),
  /** No host of the pool reaches high availability's disk any more, until `forMs` have passed. */
  fault('statefile-lost', { ...calls, forMs: delayMs.optional() }),
  /** It has gone down for a reboot and does not come back: it is off. */
  fault('stays-down', at('host.boot')),
  /** The VM runs, its guest never answers. */
  fault('never-boots', at('guest.boot')),
  /** VM_MIGRATE_FAILED in the middle; the VM stays where it was. */
  fault('migration-fails', at('vm.migrate')),
  /** No room for what is to be written, whatever the SR's size. */
  fault('sr-full', at('sr.allocate')),
  /** The connection is reset as soon as it is there. */
  fault('ssh-refused', at('guest.ssh')),
  /** The connection is reset so many milliseconds after its begin, or when so many bytes have come from the client. */
  fault('ssh-drops', { ...at('guest.ssh'), afterMs: delayMs.optional(), afterBytes: z.int().min(1).optional() }),
  /** The guest shows a host key that nobody gave it. */
  fault('wrong-host-key', at('guest.ssh')),
]);

export const barrierSchema = z
  .strictObject({
    ...where,
    method: call,
    /** An Async call is held in its task, whose reference the caller already has; another one is held before its answer. */
    at: z.enum(['before-effect', 'after-effect']),
  })
  .readonly();

/** A fault as it is planned; what may be left out is left out. */
export type FaultSpec = z.input<typeof faultSchema>;
export type Fault = z.output<typeof faultSchema>;
/** What takes a host down. */
export type Downfall = Extract<Fault, { readonly kind: 'host-dead' | 'toolstack-down' }>;
/** What happens to a pool by itself, on the occasion of a call. */
export type Blow = Downfall | Extract<Fault, { readonly kind: 'statefile-lost' }>;
/** What can happen to a connection to a guest. */
export type SshFault = Extract<Fault, { readonly method: 'guest.ssh' }>;
export type BarrierSpec = z.output<typeof barrierSchema>;

export const isBlow = (fault: Fault): fault is Blow =>
  ['host-dead', 'toolstack-down', 'statefile-lost'].includes(fault.kind);

export const isSshFault = (fault: Fault | undefined): fault is SshFault => fault?.method === 'guest.ssh';

/** Every kind of fault with the names of its fields. */
export const faultKinds: ReadonlyMap<string, readonly string[]> = new Map(
  faultSchema.options.map((option) => {
    const { shape } = option.unwrap();
    return [shape.kind.value, Object.keys(shape).filter((name) => name !== 'kind')];
  }),
);

/** A fault out of anything, or what is wrong with it and what there is instead: one line for each place. */
export function parseFault(given: unknown): { readonly fault: Fault } | { readonly problems: readonly string[] } {
  const parsed = faultSchema.safeParse(given);
  if (parsed.success) return { fault: parsed.data };
  const { kind } = (given ?? {}) as { kind?: unknown };
  const fields = faultKinds.get(String(kind));
  if (fields === undefined) return { problems: [`kind: has to be one of ${[...faultKinds.keys()].join(', ')}`] };
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code !== 'unrecognized_keys') return `${issue.path.join('.')}: ${issue.message}`;
    return `${issue.keys.join(', ')}: unknown; a fault of kind ${String(kind)} takes ${fields.join(', ')}`;
  });
  return { problems };
}
