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
  /** How long the answer took. */
  readonly seconds: number;
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

/** A line as the recorder wrote it. */
interface RawRecord {
  readonly n: number;
  readonly group: string;
  readonly label: string;
  readonly status: string | null;
  readonly headers: Exchange['headers'] | null;
  readonly body: string | null;
  readonly request: { readonly head?: string; readonly body?: string; readonly raw?: string };
  readonly elapsed_s: number | null;
  readonly body_truncated_from_bytes?: number;
}

/** Reads a file of exchanges as the recorder wrote it: one JSON object per line. */
export async function readRawRecordings(file: string): Promise<Exchange[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => {
    const raw = JSON.parse(line) as RawRecord;
    const { n, group, label, request, body_truncated_from_bytes: length } = raw;
    const exchange = {
      n,
      group,
      label,
      sent: request.raw ?? `${request.head ?? ''}${request.body ?? ''}`,
      status: raw.status ?? '',
      headers: raw.headers ?? [],
      body: raw.body ?? '',
      seconds: raw.elapsed_s ?? 0,
    };
    return length === undefined ? exchange : { ...exchange, fullBodyBytes: length };
  });
}
