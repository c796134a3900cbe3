import { createHash, timingSafeEqual } from 'node:crypto';
import type { ApiDeps, Caller, Handler } from './context.ts';
import { Problem } from './problem.ts';

export interface Token {
  /** Of the person or program that it was given to. */
  readonly name: string;
  readonly token: string;
}

/**
 * Looks tokens up in constant time: digests of one length are compared, and always all of them, so that the time says
 * neither how much of a token was right nor which one it was.
 */
export function tokenAuthenticator(tokens: readonly Token[]): ApiDeps['authenticate'] {
  const known = tokens.map(({ name, token }) => ({ caller: { name }, digest: digestOf(token) }));
  return (token) => {
    const digest = digestOf(token);
    let found: Caller | undefined;
    for (const one of known) if (timingSafeEqual(one.digest, digest)) found = one.caller;
    return found;
  };
}

/** Lets a request pass with the token of a known caller; all others get the same answer, whatever they asked for. */
export function requireCaller(authenticate: ApiDeps['authenticate']): Handler {
  return (request, response, next) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(request.get('authorization') ?? '')?.[1];
    const caller = token === undefined ? undefined : authenticate(token);
    if (caller === undefined) throw new Problem('UNAUTHENTICATED', 'The request carries no valid token.');
    response.locals.caller = caller;
    next();
  };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
