import { LRUCache } from 'lru-cache';
import type { Ref } from './ref.ts';
import type { LookedUpClass } from './xapi.ts';

/** So many are kept, those used last. */
const MOST_KNOWN = 10_000;

/** The references of one pool's objects, by uuid: a deployment needs that of its VM in eight steps. */
export class KnownRefs {
  readonly #refs = new LRUCache<string, string>({ max: MOST_KNOWN });

  async of<C extends LookedUpClass>(cls: C, uuid: string, ask: () => Promise<string>): Promise<Ref<C>> {
    const key = `${cls} ${uuid}`;
    const known = this.#refs.get(key);
    if (known !== undefined) return known;
    const ref = await ask();
    this.#refs.set(key, ref);
    return ref;
  }

  /**
   * The pool refused the reference. Where it is one of these, none is known any more: the pool may have been restored and
   * know all its objects by others now. Answers whether it was.
   */
  refused(ref: string): boolean {
    if (![...this.#refs.values()].includes(ref)) return false;
    this.#refs.clear();
    return true;
  }
}
