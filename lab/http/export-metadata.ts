import { classModel } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { RecordValue, Value, XenType } from '../model/types.ts';
import { asText } from '../model/types.ts';
import { render } from '../wire/render.ts';
import { xmlPrinter } from '../wire/xml-printer.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { tarOf } from './tar.ts';

/** The first file of every archive. */
export const ovaXml = 'ova.xml';

interface Exported {
  readonly cls: ClassName;
  readonly ref: string;
}

/** Fields of an exported object that keep a reference to what is not exported: they are rewritten like all others. */
const rewritten: Readonly<Partial<Record<ClassName, readonly string[]>>> = {
  VM: ['suspend_VDI', 'resident_on', 'affinity', 'metrics', 'guest_metrics', 'snapshot_of', 'parent'],
  VBD: ['VM', 'VDI'],
  VIF: ['VM', 'network'],
  VDI: ['SR'],
};

/** The order in which the classes are written. */
const written: readonly ClassName[] = ['VM', 'VM_metrics', 'VM_guest_metrics', 'VBD', 'VIF', 'network', 'VDI', 'SR'];

/** The VM and what hangs on it, in the order in which they are numbered. */
function objectsOf(world: World, vm: string): Exported[] {
  const { VBDs: vbds, VIFs: vifs, metrics, guest_metrics: guestMetrics } = world.store.get('VM', vm);
  const found: Exported[] = [{ cls: 'VM', ref: vm }];
  const add = (cls: ClassName, ref: string) => {
    if (world.store.find(cls, ref) !== undefined && !found.some((item) => item.ref === ref)) found.push({ cls, ref });
  };
  for (const vbd of vbds) {
    const { VDI: vdi } = world.store.get('VBD', vbd);
    add('VBD', vbd);
    add('VDI', vdi);
    add('SR', world.store.find('VDI', vdi)?.SR ?? nullRef);
  }
  for (const vif of vifs) {
    add('VIF', vif);
    add('network', world.store.get('VIF', vif).network);
  }
  const { suspend_VDI: image } = world.store.get('VM', vm);
  add('VDI', image);
  add('SR', world.store.find('VDI', image)?.SR ?? nullRef);
  add('VM_metrics', metrics);
  add('VM_guest_metrics', guestMetrics);
  return found;
}

/** Numbers instead of references; whatever is not exported has the same one. */
class Numbers {
  private readonly byRef: ReadonlyMap<string, string>;
  private readonly missing: string;

  constructor(objects: readonly Exported[], first: number) {
    this.byRef = new Map(objects.map(({ ref }, at) => [ref, `Ref:${first + at}`]));
    this.missing = `Ref:${first + objects.length}`;
  }

  of(ref: string): string {
    return this.byRef.get(ref) ?? this.missing;
  }

  /** The fields of an object as they are exported: sets name only what is exported too, operations are of the moment. */
  snapshot({ cls }: Exported, record: RecordValue): RecordValue {
    const named = rewritten[cls] ?? [];
    const value = (name: string, type: XenType, given: Value): Value => {
      if (name === 'allowed_operations') return [];
      if (name === 'current_operations') return {};
      if (named.includes(name)) return this.of(asText(given));
      if (type.kind === 'ref') return nullRef;
      if (type.kind !== 'set' || type.of.kind !== 'ref') return given;
      return (given as readonly string[]).flatMap((ref) => this.byRef.get(ref) ?? []);
    };
    return Object.fromEntries(
      classModel(cls).fields.map(({ name, type, initial }) => [name, value(name, type, record[name] ?? initial)]),
    );
  }
}

const text = (value: string): string => xmlPrinter.string(value);

function objectText(world: World, object: Exported, numbers: Numbers): string {
  const snapshot = numbers.snapshot(object, world.store.entry(object.cls, object.ref).record);
  return xmlPrinter.struct([
    ['class', text(object.cls)],
    ['id', text(numbers.of(object.ref))],
    ['snapshot', render(xmlPrinter, world.product.model, { kind: 'record', cls: object.cls }, snapshot)],
  ]);
}

function versionText(world: World): string {
  const { software_version: version } = world.store.get('host', world.pool.master);
  const [major = '', minor = ''] = (version['xapi'] ?? '').split('.');
  const facts = ['hostname', 'date', 'product_version', 'product_brand', 'build_number'].map(
    (name): [string, string] => [name, text(version[name] ?? '')],
  );
  return xmlPrinter.struct([
    ...facts,
    ['xapi_major', text(major)],
    ['xapi_minor', text(minor)],
    ['export_vsn', text('2')],
  ]);
}

/** The VM as it stands in an archive. */
export interface Described {
  /** The content of `ova.xml`. */
  readonly text: string;
  /** The names of the disks there, in their order, and their references. */
  readonly disks: ReadonlyMap<string, string>;
}

/** Throws HANDLE_INVALID. */
export function describeVm(world: World, vm: string): Described {
  const objects = objectsOf(world, vm);
  const numbers = new Numbers(objects, world.takeExportNumbers(objects.length + 1));
  const inOrder = written.flatMap((cls) => objects.filter((object) => object.cls === cls));
  const text = xmlPrinter.struct([
    ['version', versionText(world)],
    ['objects', xmlPrinter.array(inOrder.map((object) => objectText(world, object, numbers)))],
  ]);
  const disks = objects.flatMap(({ cls, ref }) => (cls === 'VDI' ? [[numbers.of(ref), ref] as const] : []));
  return { text, disks: new Map([...disks].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** The VM's description without its disks' content, as a tar archive with the one file `ova.xml`. Throws HANDLE_INVALID. */
export const vmMetadata = (world: World, vm: string): Buffer => tarOf(ovaXml, describeVm(world, vm).text, Date.now());
