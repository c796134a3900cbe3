import { connect } from 'node:net';

/** What came back for the bytes that were sent. */
export interface RawAnswer {
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const silence: RawAnswer = { status: '', headers: [], body: '' };

function split(text: string): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [status = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return { status, headers, body: text.slice(end + 4) };
}

/** Whether all of the announced body is there; without an announced length only the end of the connection tells. */
function isWhole(bytes: Buffer): boolean {
  const answer = split(bytes.toString('latin1'));
  const length = answer?.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  return answer !== undefined && length !== undefined && answer.body.length >= Number(length);
}

/** Sends the bytes on a connection of their own; gives silence when nothing comes back in `patienceMs`. */
export async function exchange(address: string, port: number, sent: string, patienceMs: number): Promise<RawAnswer> {
  const socket = connect(port, address);
  socket.on('error', () => undefined);
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (isWhole(Buffer.concat(chunks))) done();
    });
    socket.on('close', done);
    socket.write(sent);
  });
  socket.destroy();
  return split(Buffer.concat(chunks).toString('utf8')) ?? silence;
}
