import type { SeenCall, Sighting } from './observed.ts';
import { archivedIn, callIn, sightingsIn } from './observed.ts';
import type { Exchange } from './recording.ts';

/** Everything that the files show, in the order of their exchanges. */
export interface Evidence {
  readonly calls: ReadonlyMap<number, SeenCall>;
  readonly sightings: readonly Sighting[];
}

/** What cannot be read shows nothing. */
function legible(read: () => Sighting[]): Sighting[] {
  try {
    return read();
  } catch {
    return [];
  }
}

export function evidenceOf(exchanges: readonly Exchange[]): Evidence {
  const calls = new Map<number, SeenCall>();
  const sightings = exchanges.flatMap((exchange) => {
    const call = callIn(exchange);
    if (call !== undefined) calls.set(exchange.n, call);
    return legible(() => sightingsIn(exchange, call));
  });
  for (const exchange of exchanges) sightings.push(...legible(() => archivedIn(exchange, sightings)));
  return { calls, sightings: sightings.sort((a, b) => a.n - b.n) };
}
