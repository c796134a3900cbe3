import { isNativeError } from 'node:util/types';

/**
 * A failure of the stack that is told to a person: what failed, what state things are in, what to do next. Programs
 * print its message alone; any other error is a defect and keeps its stack.
 */
export class StackTrouble extends Error {}

/** @returns the message of anything that was thrown */
export function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  return error.message || codeOf(error) || error.name; // a refused connection to several addresses has a code only
}

/** @returns the code of a system error, such as ENOENT, when it has one */
export function codeOf(error: unknown): string | undefined {
  // not `instanceof Error`: under jest the errors of Node itself come from another realm
  return isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
