import type { Response } from 'express';

export function notFound(res: Response, what: string, hint?: string): void {
  res.status(404).json({ error: `${what} is not known to this lab${hint === undefined ? '' : `; ${hint}`}` });
}

/** `problems` are lines for the person who wrote the request. */
export function refuse(res: Response, what: string, problems: readonly string[], more: object = {}): void {
  res.status(400).json({ error: `${what}; nothing was changed. ${problems.join('; ')}`, problems, ...more });
}
