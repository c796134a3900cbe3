import type { RunEvent } from './api-client.ts';
import { eventTeller } from './event-lines.ts';
import { eventsFrom } from './event-stream.ts';
import { EXIT } from './io.ts';
import { patiently } from './patience.ts';
import { painter } from './render.ts';
import type { Session } from './session.ts';

/** Tells what happens in all runs until Ctrl-C; answers the exit code. */
export async function followAll(session: Session, json: boolean): Promise<number> {
  const { api, io } = session;
  const tell = json ? (event: RunEvent) => Promise.resolve(JSON.stringify(event)) : lineTeller(session);
  try {
    for await (const event of eventsFrom(io, io.interrupted, (after, signal) => api.allEvents(after, signal)))
      io.out(`${await tell(event)}\n`);
  } catch (error) {
    if (!io.interrupted.aborted) throw error;
  }
  io.err('\nDetached; the runs go on.\nNext: switchboard runs\n');
  return EXIT.interrupted;
}

/** Each line says what its run is for; asked once per run. */
function lineTeller({ api, io }: Session): (event: RunEvent) => Promise<string> {
  const tell = eventTeller(painter(io.color));
  const summaries = new Map<string, string>();
  return async (event) => {
    const { runId } = event;
    const summary = summaries.get(runId) ?? (await patiently(io, io.interrupted, () => api.show(runId))).summary;
    summaries.set(runId, summary);
    return `${runId}  ${tell(event)}  (${summary})`;
  };
}
