import type { RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Caller } from './context.ts';
import { Problem } from './problem.ts';

const WINDOW_MS = 60_000;

/**
 * So many requests per minute and token at this process, whatever the address they come from; an answer tells in its
 * RateLimit header how many are left. A guard against programs that went wild, not a quota.
 */
export function limitRate(perMinute: number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'token',
    keyGenerator: (_request, response) => nameIn(response.locals),
    handler: (_request, response) => {
      const retryAfterSeconds = Number(response.getHeader('retry-after'));
      throw new Problem('RATE_LIMITED', `${nameIn(response.locals)} has sent ${perMinute} requests within a minute.`, {
        retryAfterSeconds,
      });
    },
  });
}

/** Whoever comes here has shown a token. */
function nameIn(locals: object): string {
  return (locals as { readonly caller: Caller }).caller.name;
}
