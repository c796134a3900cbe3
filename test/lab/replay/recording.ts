import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** One exchange with the genuine daemon, byte for byte. */
export interface Exchange {
  readonly n: number;
  readonly group: string;
  readonly label: string;
  /** Head and body of the request. */
  readonly sent: string;
  /** `HTTP/1.1 200 OK`; empty when nothing came back. */
  readonly status: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** Set when the body was cut for the recording: how long it really was. */
  readonly fullBodyBytes?: number;
}

const path = new URL('../recordings/xapi-25.33.1.jsonl.gz', import.meta.url);

export async function readRecordings(): Promise<Exchange[]> {
  const text = (await promisify(gunzip)(await readFile(path))).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Exchange);
}
