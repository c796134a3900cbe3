import type { World } from './world.ts';

/** A host of a pool. */
export interface Place {
  readonly world: World;
  /** Its reference there. */
  readonly host: string;
}

/** What a pool sees of the data centre around it: hosts leave one pool for another. */
export interface Site {
  /** The host that answers at the address; none while its port is closed. */
  at(address: string): Place | undefined;
  /** A pool without a single object, for a host that leaves the pool to be alone. */
  found(from: Place): World;
  /** The machine with its port, which has to be closed, is from now on the host of the other pool. */
  rehouse(from: Place, to: Place): void;
  /** No pool knows the machine any more; its port is closed for good. */
  retire(place: Place): void;
}
