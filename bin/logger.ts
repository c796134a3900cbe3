import { destination, pino } from 'pino';
import type { Logger } from 'pino';

/** A second net: nothing is logged on purpose that holds one of these. */
const SECRETS = ['authorization', 'cookie', 'password', 'secret', 'secrets', 'token', 'userData', 'privateKey'];

/** Lines of JSON on stderr, written at once: stdout belongs to the ready line, and a process may die at any time. */
export function createLogger(part: string): Logger {
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino({ base: { part }, redact: { paths, censor: '[redacted]' } }, destination({ fd: 2, sync: true }));
}
