/** What an error says. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a request was not answered: fetch keeps it in the cause. Not by class: Node's own errors may be of another realm. */
export function whyUnanswered(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message: string } };
  return cause?.code ?? cause?.message ?? String(error);
}
