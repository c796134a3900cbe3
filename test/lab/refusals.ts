import { expect } from '@jest/globals';
import { post } from './raw-client.ts';

/** A call that is refused before it does anything. */
export interface Case {
  readonly why: string;
  readonly method: string;
  /** After the session, or all of them where `bare`. */
  readonly params: () => readonly unknown[];
  readonly bare?: boolean;
  readonly error: () => readonly string[];
}

/** What the same call is refused with in both versions of JSON-RPC. */
export async function refusals(
  url: string,
  method: string,
  params: readonly unknown[],
): Promise<(readonly string[])[]> {
  const v2 = await post(url, JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }));
  const v1 = await post(url, JSON.stringify({ method, params, id: 1 }));
  const second = JSON.parse(v2.text) as { error: { code: number; message: string; data: string[] } };
  const first = JSON.parse(v1.text) as { result: null; error: string[] };
  expect(second.error.code).toBe(1);
  expect(first.result).toBeNull();
  return [first.error, [second.error.message, ...second.error.data]];
}
