import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { FAILURES } from '../../../domain/errors.ts';
import { ERROR_CATALOGUE } from '../../../adapters/xapi/error-catalogue.ts';
import { nativeFailure, toFailure } from '../../../adapters/xapi/to-failure.ts';

/** Names of error codes as the data model and the code of xapi have them; names only. */
interface KnownCodes {
  readonly catalogued: readonly string[];
  readonly uncatalogued: readonly string[];
  readonly srBackendFailures: readonly string[];
}

const known = JSON.parse(readFileSync(new URL('./error-codes.json', import.meta.url), 'utf8')) as KnownCodes;
const context = { method: 'VM.start', poolId: 'ams1', object: 'VM web-01', mask: (text: string) => text };

/** Seen on the wire or raised by code, but in no list of upstream's. */
const SEEN_ONLY = ['VDI_IO_ERROR'];

describe('the catalogue of XAPI errors', () => {
  it.each([
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'CERTIFICATE_NOT_PINNED',
  ])('takes %s for final: nothing was sent, and no repetition makes the certificate another one', (code) => {
    const failure = toFailure(Object.assign(new Error('refused'), { code }), context);
    expect(failure).toMatchObject({ code: 'POOL_CERTIFICATE_REFUSED', class: 'terminal' });
  });

  it('holds only codes that XAPI has', () => {
    const all = new Set([...known.catalogued, ...known.uncatalogued, ...known.srBackendFailures, ...SEEN_ONLY]);
    expect([...ERROR_CATALOGUE.keys()].filter((code) => !all.has(code))).toEqual([]);
  });

  it('never takes a refusal for a success', () => {
    const classes = [...ERROR_CATALOGUE.values()].map(([code]) => FAILURES[code].class);
    expect(classes).not.toContain('done');
  });

  it('tells the code, the parameters, the object, the pool and what state things are in', () => {
    const failure = nativeFailure({ code: 'HOST_NOT_ENOUGH_FREE_MEMORY', params: ['4096', '1024'] }, context);
    expect(failure.code).toBe('NO_HOST_FITS');
    expect(failure.message).toBe(
      'VM.start on VM web-01 failed on pool ams1: the host has not enough free memory ' +
        '[HOST_NOT_ENOUGH_FREE_MEMORY(4096, 1024)]. The pool did not carry it out.',
    );
    expect(failure.details.native).toEqual({ code: 'HOST_NOT_ENOUGH_FREE_MEMORY', params: ['4096', '1024'] });
  });

  it('takes an unknown code for an unknown outcome', () => {
    const failure = nativeFailure({ code: 'SOMETHING_NEW', params: [] }, context);
    expect(failure.code).toBe('POOL_ERROR');
    expect(failure.class).toBe('ambiguous');
    expect(failure.message).toContain('the next attempt looks before it acts');
  });

  it('never shows the session reference that an expired session is answered with', () => {
    const failure = nativeFailure({ code: 'SESSION_INVALID', params: ['OpaqueRef:secret'] }, context);
    expect(JSON.stringify(failure.toFailure())).not.toContain('OpaqueRef:secret');
  });

  it.each(['ECONNRESET', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT'])(
    'takes %s for an unknown outcome, since the request may have arrived',
    (code) => {
      const failure = toFailure(Object.assign(new Error('broken'), { code }), context);
      expect(failure.code).toBe('POOL_UNREACHABLE');
      expect(failure.class).toBe('ambiguous');
    },
  );

  it('masks secrets in texts of the pool', () => {
    const masking = { ...context, mask: (text: string) => text.replaceAll('hunter2', '(masked)') };
    const failure = nativeFailure({ code: 'INTERNAL_ERROR', params: ['login with hunter2 failed'] }, masking);
    expect(JSON.stringify(failure.toFailure())).not.toContain('hunter2');
  });

  it('keeps what is a failure already', () => {
    const failure = nativeFailure({ code: 'SR_FULL', params: [] }, context);
    expect(toFailure(failure, context)).toBe(failure);
  });
});
