import type { ApiModel } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { Integer, RecordValue, Value, XenType } from '../model/types.ts';
import { asText } from '../model/types.ts';
import { toldKey } from './ordered-keys.ts';

/** How one encoding writes the basic values; everything else about an answer is decided here, once for all encodings. */
export interface Printer {
  string(value: string): string;
  int(value: Integer): string;
  /** A 32-bit integer: only the counts of event.from. */
  smallInt(value: number): string;
  float(value: number): string;
  bool(value: boolean): string;
  datetime(value: string): string;
  array(items: readonly string[]): string;
  struct(members: readonly (readonly [string, string])[]): string;
}

/** One event of an event.from batch or an event.next list. `snapshot` is absent for "del". */
export interface EventValue {
  readonly id: string;
  readonly timestamp: string;
  readonly class: string;
  readonly operation: 'add' | 'mod' | 'del';
  readonly ref: string;
  readonly snapshot?: { readonly cls: string; readonly record: object };
}

export interface EventBatch {
  readonly events: readonly EventValue[];
  readonly validRefCounts: readonly (readonly [string, number])[];
  readonly token: string;
}

export type Result = Value | EventBatch | readonly EventValue[];

function renderRecord(printer: Printer, model: ApiModel, cls: string, record: RecordValue): string {
  const known = model.classes.get(cls as ClassName);
  if (known === undefined) {
    return printer.struct(Object.entries(record).map(([name, value]) => [name, printer.string(asText(value))]));
  }
  return printer.struct(
    known.fields.map((field) => [field.name, render(printer, model, field.type, record[field.name] ?? field.initial)]),
  );
}

function renderEvent(printer: Printer, model: ApiModel, event: EventValue): string {
  const { snapshot } = event;
  return printer.struct([
    ['id', printer.string(event.id)],
    ['timestamp', printer.string(event.timestamp)],
    ['class', printer.string(event.class)],
    ['operation', printer.string(event.operation)],
    ['ref', printer.string(event.ref)],
    ...(snapshot === undefined
      ? []
      : [['snapshot', renderRecord(printer, model, snapshot.cls, snapshot.record as RecordValue)] as const]),
  ]);
}

function renderBatch(printer: Printer, model: ApiModel, batch: EventBatch): string {
  return printer.struct([
    ['events', printer.array(batch.events.map((event) => renderEvent(printer, model, event)))],
    ['valid_ref_counts', printer.struct(batch.validRefCounts.map(([cls, count]) => [cls, printer.smallInt(count)]))],
    ['token', printer.string(batch.token)],
  ]);
}

const isEventSet = (type: XenType) => type.kind === 'set' && type.of.kind === 'record' && type.of.cls === 'event';

/** Writes a result of the given type, records with the fields that the release has. A call without a result gives the empty string, as the genuine daemon does. */
export function render(printer: Printer, model: ApiModel, type: XenType, value: Result): string {
  if (type.kind === 'batch') return renderBatch(printer, model, value as EventBatch);
  if (isEventSet(type))
    return printer.array((value as readonly EventValue[]).map((event) => renderEvent(printer, model, event)));
  switch (type.kind) {
    case 'int':
      return printer.int(value as Integer);
    case 'float':
      return printer.float(value as number);
    case 'bool':
      return printer.bool(value as boolean);
    case 'datetime':
      return printer.datetime(value as string);
    case 'set':
      return printer.array((value as readonly Value[]).map((item) => render(printer, model, type.of, item)));
    case 'map':
      return printer.struct(
        Object.entries(value as RecordValue).map(([key, item]) => [
          toldKey(key),
          render(printer, model, type.value, item),
        ]),
      );
    case 'record':
      return renderRecord(printer, model, type.cls, value as RecordValue);
    case 'option':
      return printer.array(value === null ? [] : [render(printer, model, type.of, value)]);
    case 'void':
      return printer.string('');
    default:
      return printer.string(value as string);
  }
}
