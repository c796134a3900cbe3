import type { ApiModel } from '../model/model.ts';
import type { XenType } from '../model/types.ts';
import type { Result } from './render.ts';
import type { Rpc } from './rpc.ts';

/** One call taken out of a request body, with the ways to answer it in the encoding and version that it came in. */
export interface DecodedCall {
  readonly method: string;
  /** With the session, if the caller gave one. */
  readonly params: readonly Rpc[];
  success(type: XenType, value: Result): string;
  /** `description` is the code followed by its parameters. */
  failure(description: readonly string[]): string;
  /** For the two calls whose XML-RPC answer has no Status/Value wrapper; other encodings write them like any success. */
  bare?(type: XenType, value: Result): string;
}

/** An encoding of the API; answers are those of the release given. `decodeCall` throws MalformedBody. */
export interface Codec {
  readonly contentType: string;
  decodeCall(body: string, model: ApiModel): DecodedCall;
  /** An error raised before the call was looked at. */
  refusal(description: readonly string[]): string;
}
