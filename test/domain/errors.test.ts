import { describe, expect, it } from '@jest/globals';
import { FAILURES, isFailureCode, isTerminal, OperationFailure } from '../../domain/errors.ts';

describe('the list of failures', () => {
  it('tells the person on night shift what to do, for every code', () => {
    for (const { hint, httpStatus } of Object.values(FAILURES)) {
      expect(hint).toMatch(/^[A-Z].*\.$/);
      expect(httpStatus).toBeGreaterThanOrEqual(400);
    }
  });

  it('knows its own codes and no others', () => {
    expect(isFailureCode('POOL_BUSY')).toBe(true);
    expect(isFailureCode('toString')).toBe(false);
  });

  it('repeats what may pass by itself and nothing else', () => {
    expect(isTerminal('POOL_UNREACHABLE')).toBe(false);
    expect(isTerminal('NO_HOST_FITS')).toBe(true);
  });

  it('travels as plain JSON with everything a person needs', () => {
    const failure = new OperationFailure('STORAGE_FULL', 'SR shared is full.', { object: 'SR shared' });
    expect(JSON.parse(JSON.stringify(failure.toFailure()))).toEqual({
      code: 'STORAGE_FULL',
      message: 'SR shared is full.',
      object: 'SR shared',
    });
    expect(failure.class).toBe('terminal');
  });
});
