import { FAILURES, OperationFailure, type FailureClass, type FailureCode } from '../../domain/errors.ts';
import { ERROR_CATALOGUE } from './error-catalogue.ts';

export interface FailureContext {
  /** What was called: `VM.clone`, `PUT /import_raw_vdi`. */
  readonly method: string;
  readonly poolId: string;
  /** What it was called on, by class and name or reference. */
  readonly object?: string;
  /** Takes passwords and session references out of texts of the pool. */
  readonly mask: (text: string) => string;
}

/** An error as the pool told it: XAPI's code and parameters. */
export interface NativeError {
  readonly code: string;
  readonly params: readonly string[];
}

/** What the reader may conclude about the pool, by class. */
const STATE_BY_CLASS: Record<FailureClass, string> = {
  retry: 'The pool did not carry it out.',
  wait: 'The pool did not carry it out.',
  terminal: 'The pool did not carry it out.',
  ambiguous: 'Whether it took effect is not known; the next attempt looks before it acts.',
  done: 'Nothing is left to do.',
};

/** Turns whatever xen-api, undici or a task threw into a failure of the closed list. Failures pass unchanged. */
export function toFailure(error: unknown, context: FailureContext): OperationFailure {
  if (error instanceof OperationFailure) return error;
  const native = nativeErrorOf(error);
  if (native !== undefined) return nativeFailure(native, context);
  if (isTransportError(error)) return transportFailure(error, context);
  const text = context.mask(String(error));
  return failure('POOL_ERROR', `the answer was not understood (${text})`, context, { code: 'CLIENT', params: [text] });
}

/** The failure behind XAPI's own code; used for calls and for the error_info of tasks. */
export function nativeFailure(native: NativeError, context: FailureContext): OperationFailure {
  const [code, meaning] = ERROR_CATALOGUE.get(native.code) ?? ['POOL_ERROR', 'an error that is in no catalogue'];
  const params = native.code === 'SESSION_INVALID' ? ['(session)'] : native.params.map(context.mask);
  return failure(code, `${meaning} [${native.code}(${params.join(', ')})]`, context, { code: native.code, params });
}

/** XAPI's code and parameters, when `error` carries an answer of the pool. */
export function nativeErrorOf(error: unknown): NativeError | undefined {
  if (!isObject(error) || !('params' in error) || !Array.isArray(error.params)) return undefined;
  const code = codeOf(error);
  return code === undefined ? undefined : { code, params: error.params.map(String) };
}

/** Not by `instanceof Error`: Node's own errors are of another realm than code that runs in a VM context, as under jest. */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** xen-api's own time-out of a call, which has no code. */
export function isTimeout(error: unknown): boolean {
  return isObject(error) && 'name' in error && error.name === 'TimeoutError';
}

/** Network, TLS and time-outs: a code that is no answer of the pool. */
function isTransportError(error: unknown): boolean {
  return codeOf(error) !== undefined || isTimeout(error);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function messageOf(error: unknown): string {
  return isObject(error) && 'message' in error ? String(error.message) : String(error);
}

/** What Node says when the certificate is not the one asked for (X509 verification, host name), and our own pin. */
const CERTIFICATE_CODE = /CERT|ALTNAME|UNABLE_TO_(VERIFY|GET)/;

function transportFailure(error: unknown, context: FailureContext): OperationFailure {
  const code = codeOf(error) ?? 'TIMEOUT';
  const text = context.mask(messageOf(error));
  if (CERTIFICATE_CODE.test(code)) {
    return failure('POOL_CERTIFICATE_REFUSED', `its certificate was refused (${code}: ${text})`, context, {
      code,
      params: [text],
    });
  }
  return failure('POOL_UNREACHABLE', `no answer (${code}: ${text})`, context, { code, params: [text] });
}

function failure(code: FailureCode, why: string, context: FailureContext, native: NativeError): OperationFailure {
  const { method, poolId, object } = context;
  const on = object === undefined ? '' : ` on ${object}`;
  const message = `${method}${on} failed on pool ${poolId}: ${why}. ${STATE_BY_CLASS[FAILURES[code].class]}`;
  return new OperationFailure(code, message, { object: object ?? `pool ${poolId}`, native });
}
