/**
 * Waits until every piece of work has ended, then answers all results or throws the first failure. Unlike Promise.all it
 * leaves nothing running behind a failure: neither the next attempt nor the undo may meet a late effect of this one.
 */
export async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
