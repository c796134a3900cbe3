import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import type { VbdRecord, VdiRecord } from '../../adapters/xapi/messages.generated.ts';
import { OperationFailure } from '../../domain/errors.ts';
import type { FailureCode } from '../../domain/errors.ts';
import type { DiskIdentity } from '../../domain/vm.ts';

const NULL_REF = 'OpaqueRef:NULL';

export function isRef(ref: string): boolean {
  return ref !== NULL_REF && ref !== '';
}

/** Undefined when the look-up says that there is no such object; every other failure is passed on. */
export async function orGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof OperationFailure && error.code === 'OBJECT_GONE') return undefined;
    throw error;
  }
}

export function findVm(xapi: Xapi, uuid: string): Promise<Ref<'VM'> | undefined> {
  return orGone(xapi.call('VM.get_by_uuid', uuid));
}

export function findVdi(xapi: Xapi, uuid: string): Promise<Ref<'VDI'> | undefined> {
  return orGone(xapi.call('VDI.get_by_uuid', uuid));
}

type NamedClass = 'VM' | 'network' | 'SR';

interface Named {
  readonly ref: string;
  readonly uuid: string;
  readonly name: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Resolves a name or uuid to exactly one object that is `wanted`; none and several are failures that say so. */
export async function resolveOne(
  xapi: Xapi,
  cls: NamedClass,
  nameOrUuid: string,
  missing: FailureCode,
  wanted: (ref: string) => Promise<boolean> = () => Promise.resolve(true),
): Promise<Named> {
  const { refs, known } = await refsOf(xapi, cls, nameOrUuid);
  const checked = await Promise.all(refs.map(async (ref) => ((await wanted(ref)) ? [ref] : [])));
  const [ref, ...others] = checked.flat();
  if (ref === undefined) {
    throw new OperationFailure(missing, `Pool ${xapi.poolId} has no ${words(missing)} called ${nameOrUuid}.`);
  }
  if (others.length > 0) throw await ambiguous(xapi, cls, nameOrUuid, [ref, ...others]);
  const [uuid, name] = await Promise.all([
    known.uuid ?? xapi.call(`${cls}.get_uuid`, ref),
    known.name ?? xapi.call(`${cls}.get_name_label`, ref),
  ]);
  return { ref, uuid, name };
}

interface Candidates {
  readonly refs: readonly string[];
  /** What need not be asked for, since they were found by it. */
  readonly known: { readonly uuid?: string; readonly name?: string };
}

async function refsOf(xapi: Xapi, cls: NamedClass, nameOrUuid: string): Promise<Candidates> {
  if (UUID.test(nameOrUuid)) {
    const uuid = nameOrUuid.toLowerCase();
    const ref = await orGone<string>(xapi.call(`${cls}.get_by_uuid`, uuid));
    if (ref !== undefined) return { refs: [ref], known: { uuid } };
  }
  return { refs: await xapi.call(`${cls}.get_by_name_label`, nameOrUuid), known: { name: nameOrUuid } };
}

function words(missing: FailureCode): string {
  return missing.replace('_NOT_FOUND', '').toLowerCase();
}

async function ambiguous(
  xapi: Xapi,
  cls: NamedClass,
  name: string,
  refs: readonly string[],
): Promise<OperationFailure> {
  const uuids = await Promise.all(refs.map((ref) => xapi.call(`${cls}.get_uuid`, ref)));
  return new OperationFailure(
    'NAME_AMBIGUOUS',
    `Pool ${xapi.poolId} has ${refs.length} objects of class ${cls} called ${name}: ${uuids.join(', ')}.`,
    { object: name },
  );
}

export interface AttachedDisk extends DiskIdentity {
  readonly vbd: Ref<'VBD'>;
  readonly vdi: Ref<'VDI'>;
  readonly record: VdiRecord;
  readonly attachment: VbdRecord;
}

/** The real disks of a VM (no CD drives, no empty ones) by its VBDs, in the order of their devices. */
export async function disksOf(xapi: Xapi, vbds: readonly Ref<'VBD'>[]): Promise<AttachedDisk[]> {
  const found = await Promise.all(
    vbds.map(async (vbd) => {
      const attachment = await xapi.call('VBD.get_record', vbd);
      if (attachment.type === 'CD' || !isRef(attachment.VDI)) return [];
      const record = await xapi.call('VDI.get_record', attachment.VDI);
      return [{ vbd, vdi: attachment.VDI, uuid: record.uuid, name: record.name_label, record, attachment }];
    }),
  );
  return found.flat().sort((a, b) => Number(a.attachment.userdevice) - Number(b.attachment.userdevice));
}
