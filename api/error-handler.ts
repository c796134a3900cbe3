import type { Logger } from 'pino';
import { OperationFailure } from '../domain/errors.ts';
import type { FailureHandler, Handler } from './context.ts';
import { Problem } from './problem.ts';

/** Every failure leaves as a problem document; what nobody foresaw is logged whole and told without its insides. */
export function errorHandler(logger: Logger): FailureHandler {
  return (error: unknown, _request, response, next) => {
    const { requestId } = response.locals;
    const problem = problemFrom(error);
    if (problem.status >= 500) logger.error({ requestId, err: error }, problem.message);
    if (response.headersSent) {
      next(error);
      return;
    }
    response.status(problem.status).set(problem.headers);
    response.type('application/problem+json').send(JSON.stringify(problem.toDocument(requestId)));
  };
}

export const noSuchRoute: Handler = (request) => {
  throw new Problem('NO_SUCH_ROUTE', `There is nothing at ${request.path}.`);
};

export function methodNotAllowed(allow: string): Handler {
  return (request) => {
    throw new Problem('METHOD_NOT_ALLOWED', `${request.path} does not take ${request.method}.`, { allow });
  };
}

/** Runs before the body parser, which ignores what is not JSON. A body of no bytes needs no type. */
export const requireJson: Handler = (request, _response, next) => {
  if (request.get('content-length') !== '0' && request.is('application/json') === false) {
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'The body is not sent as application/json.');
  }
  next();
};

function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof OperationFailure) return new Problem(error.code, error.message, error.details, { cause: error });
  switch (clientFaultStatus(error)) {
    case undefined:
      return new Problem('UNEXPECTED', 'The API failed in a way that nobody foresaw.', {}, { cause: error });
    case 413:
      return new Problem('BODY_TOO_LARGE', 'The body is larger than 256 KiB.', {}, { cause: error });
    case 415:
      return new Problem('UNSUPPORTED_MEDIA_TYPE', 'The encoding of the body is not supported.', {}, { cause: error });
    default:
      return new Problem(
        'INVALID_INPUT',
        'The request cannot be read: broken JSON or a broken path.',
        {},
        { cause: error },
      );
  }
}

/** Express and its body parser put the HTTP status of a fault of the client on the error. */
function clientFaultStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined;
  return error.status >= 400 && error.status < 500 ? error.status : undefined;
}
