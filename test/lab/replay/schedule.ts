import type { Exchange } from './recording.ts';

/** A call for events that did not answer at once but was woken: by what was sent while it waited. */
const wasWoken = ({ sent, body, seconds }: Exchange): boolean =>
  seconds >= 0.2 && /event\.(from|next)\b/.test(sent) && /<name>class<|"class":|SESSION_INVALID/.test(body);

/** Whether the exchange ended the session of the one that is listed behind it. */
function ended(before: Exchange | undefined, { sent }: Exchange): boolean {
  const [session = ''] = /OpaqueRef:[0-9a-f-]{36}/.exec(sent) ?? [];
  return before?.sent.includes('session.logout') === true && session !== '' && before.sent.includes(session);
}

/** In the order of sending: each with those that are sent while it waits. */
export function schedule(exchanges: readonly Exchange[]): (readonly Exchange[])[] {
  const plan: Exchange[][] = [];
  let waits = false;
  for (const [at, item] of exchanges.entries()) {
    const isLate = wasWoken(item) && ended(exchanges[at - 1], item);
    if (isLate) plan.at(-1)?.unshift(item);
    else if (waits) plan.at(-1)?.push(item);
    else plan.push([item]);
    waits = wasWoken(item) && !isLate;
  }
  return plan;
}
