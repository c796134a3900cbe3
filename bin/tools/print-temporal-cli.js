/**
 * Prints the path of the Temporal CLI, after installing it if need be: for those who start the tests without the
 * launcher.
 */
import { obtainTemporalCli } from './temporal-cli.js';
import { Trouble, say } from './trouble.js';

try {
  process.stdout.write(`${(await obtainTemporalCli(process.env)) ?? ''}\n`);
} catch (error) {
  if (!(error instanceof Trouble)) throw error;
  say(error.message);
  process.exitCode = 1;
}
