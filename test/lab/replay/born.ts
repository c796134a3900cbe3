import type { ClassName } from '../../../lab/model/records.ts';
import type { RecordValue } from '../../../lab/model/types.ts';
import { asText } from '../../../lab/model/types.ts';
import { links, targetsOf } from '../../../lab/world/links.ts';
import type { Evidence } from './evidence.ts';
import { isRead, realRef, refsIn } from './observed.ts';
import type { Exchange } from './recording.ts';
import { addedIn } from './seed.ts';

/** References that an older object can be given to a newer one. */
const lateBound: ReadonlySet<string> = new Set(['resident_on', 'appliance', 'groups', 'parent', 'bond_slave_of']);
const bonds = [
  ...links.filter(({ field }) => !lateBound.has(field)),
  { from: 'VLAN', field: 'untagged_PIF', to: 'PIF', set: '' },
];

/** Whether the object names one of the born as the one that it belongs to; a network comes with its first card. */
const belongs = (cls: ClassName, record: RecordValue, born: ReadonlySet<string>): boolean =>
  bonds.some(({ from, field }) => from === cls && targetsOf(record[field]).some((ref) => born.has(ref))) ||
  (cls === 'network' && targetsOf(record['PIFs']).some((ref) => born.has(ref)));

/** What came with the object, or after it; a VLAN shares the metrics of its card. */
const parts = (cls: ClassName, record: RecordValue): string[] =>
  [
    ...(cls === 'PIF' ? [] : ['metrics', 'guest_metrics']).map((field) => asText(record[field])),
    ...bonds.filter(({ to }) => to === cls).flatMap(({ set }) => targetsOf(record[set])),
  ].filter((ref) => realRef.test(ref));

/** What a scan of the host's network cards found: nobody named it before. */
function scanned(stretch: readonly Exchange[], { calls }: Evidence): string[] {
  const scan = stretch.findIndex(({ n }) => calls.get(n)?.method === 'PIF.scan');
  if (scan < 0) return [];
  const before = stretch.slice(0, scan + 1).map(({ sent, body }) => sent + body);
  const found = stretch.slice(scan).flatMap(({ n }) => {
    const call = calls.get(n);
    return call?.message?.cls === 'PIF' ? refsIn(call.message.result, call.result).map(([, ref]) => ref) : [];
  });
  return found.filter((ref) => !before.some((text) => text.includes(ref)));
}

/** What a task was seen to have made. */
function madeByTask(record: RecordValue): string[] {
  const [, message] = /^Async\.\w+\.(\w+)$/.exec(asText(record['name_label'])) ?? [];
  if (message === undefined || /^(get|assert)_/.test(message)) return [];
  return asText(record['result']).match(/OpaqueRef:[0-9a-f-]{36}/g) ?? [];
}

/**
 * What an answer told of as new to somebody who knew, from an answer of this stretch, what there was before. A token's second
 * number says of messages how many are known.
 */
function toldAsNew(stretch: readonly Exchange[], { calls, sightings }: Evidence): string[] {
  const [start = 0] = stretch.map(({ n }) => n);
  return stretch.flatMap((exchange, at) => {
    const shown = sightings.filter(({ n }) => n >= start && n < exchange.n).map(({ ref }) => ref);
    const call = calls.get(exchange.n);
    if (call?.method === 'event.next') return addedIn(exchange, true);
    const token = call?.params[2];
    if (call?.method !== 'event.from' || typeof token !== 'string' || token === '') return [];
    const isOwn = stretch.slice(0, at).some(({ body }) => body.includes(token));
    const added = isOwn ? addedIn(exchange, Number(token.split(',')[1]) > 0) : [];
    return added.filter((ref) => !shown.includes(ref));
  });
}

/** Objects that were made in the stretch, by calls and on their own, and what belongs to them. */
export function bornIn(stretch: readonly Exchange[], evidence: Evidence): Set<string> {
  const [first, last] = [stretch[0]?.n ?? 0, stretch.at(-1)?.n ?? 0];
  const own = evidence.sightings.filter(({ n }) => n >= first && n <= last);
  const made = stretch.flatMap(({ n }) => {
    const call = evidence.calls.get(n);
    if (call?.message === undefined || isRead(call)) return [];
    return refsIn(call.isAsync ? { kind: 'ref', cls: 'task' } : call.message.result, call.result);
  });
  const born = new Set([
    ...made.map(([, ref]) => ref),
    ...own.filter(({ cls }) => cls === 'task').flatMap(({ record }) => madeByTask(record)),
    ...toldAsNew(stretch, evidence),
    ...scanned(stretch, evidence),
  ]);
  for (let before = -1; before < born.size;) {
    before = born.size;
    for (const { cls, ref, record } of own) {
      if (belongs(cls, record, born)) born.add(ref);
      if (born.has(ref)) for (const part of parts(cls, record)) born.add(part);
    }
  }
  return born;
}
