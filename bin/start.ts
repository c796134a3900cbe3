/**
 * `npm start`: the whole of Switchboard on this machine, with links and the next command to type. Ctrl-C stops it.
 * `--fresh` forgets what earlier runs kept.
 */
import { parseArgs } from 'node:util';
import { type Stack, startStack } from './stack/stack.ts';
import { StackTrouble, reasonOf } from './stack/trouble.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function freshFrom(args: string[]): boolean {
  try {
    return parseArgs({ args, options: { fresh: { type: 'boolean', default: false } } }).values.fresh;
  } catch (error) {
    throw new StackTrouble(`${reasonOf(error)}. The only option of start is --fresh.`);
  }
}

function introduce({ urls, tokenFile }: Stack): void {
  say('');
  say(`Switchboard is up.   API           ${urls.api}`);
  if (urls.temporalUi) say(`                     Temporal UI   ${urls.temporalUi}`);
  if (urls.labControl) say(`                     Lab control   ${urls.labControl}`);
  say(`                     Token         ${tokenFile}`);
  say('');
  say('Next, in another terminal:');
  say(`  curl -H "Authorization: Bearer $(cat ${tokenFile})" ${urls.api}/v1/runs`);
  say('');
  say('Ctrl-C stops everything.');
}

/** A terminal, npm and the launcher may each send the signal: the first one counts. */
function stopRequested(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

async function main(): Promise<number> {
  const signal = stopRequested();
  process.stdout.on('error', () => undefined); // a terminal that was closed must not keep us from stopping the parts
  try {
    const fresh = freshFrom(process.argv.slice(2));
    const stateDir = process.env['SWITCHBOARD_STATE_DIR'] || '.switchboard';
    say('Starting database, Temporal, lab, worker and API.');
    const stack = await startStack({ env: process.env, stateDir, fresh, say, signal });
    introduce(stack);
    const stopped = new Promise<undefined>((resolve) => {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
      if (signal.aborted) resolve(undefined);
    });
    const trouble = await Promise.race([stack.givenUp, stopped]);
    say(trouble ? `${trouble.message} Stopping the other parts.` : 'Stopping.');
    await stack.stop();
    return trouble ? 1 : 0;
  } catch (error) {
    if (signal.aborted) return 0;
    if (!(error instanceof StackTrouble)) throw error;
    say(error.message);
    return 1;
  }
}

process.exitCode = await main();
