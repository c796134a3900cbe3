import type { ApiDeps, Handler } from './context.ts';
import { Problem } from './problem.ts';

/** Lets a request pass with the token of a known caller; all others get the same answer, whatever they asked for. */
export function requireCaller({ tokens }: Pick<ApiDeps, 'tokens'>): Handler {
  return async (request, response, next) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(request.get('authorization') ?? '')?.[1];
    const caller = token === undefined ? undefined : await tokens.callerOf(token);
    if (token === undefined || caller === undefined) {
      throw new Problem('UNAUTHENTICATED', 'The request carries no valid token.');
    }
    response.locals.caller = caller;
    response.locals.isStillValid = async () => (await tokens.callerOf(token)) !== undefined;
    next();
  };
}
