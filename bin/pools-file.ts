import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { PoolSettings } from '../adapters/xapi/xapi.ts';
import { readSecretText } from './secret-files.ts';

const MAX_PORT = 65_535;
const port = z.int().min(1).max(MAX_PORT);
const name = z.string().min(1);

const tls = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('none') }),
  z.strictObject({ mode: z.literal('ca'), caFile: name.optional() }),
  z.strictObject({ mode: z.literal('pinned'), sha256Fingerprints: z.array(name).min(1) }),
]);

const pool = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes'),
  addresses: z.array(name).min(1),
  port: port.default(443),
  tls,
  user: name.default('root'),
  passwordFile: name,
  guestSshPort: port.default(22),
});

const settingsFile = z.strictObject({
  pools: z
    .array(pool)
    .refine((pools) => new Set(pools.map(({ id }) => id)).size === pools.length, 'two pools have the same id'),
});

type Fault = (message: string) => void;

/** The ids of the registered pools: all that the API may know of them. Faults are told with their path in the file. */
export function readPoolIds(file: string, fault: Fault): string[] {
  return readPools(file, fault).map(({ id }) => id);
}

/** The pools with their passwords; paths in the file are relative to it. */
export function readPoolSettings(file: string, fault: Fault): PoolSettings[] {
  return readPools(file, fault).flatMap(({ passwordFile, ...pool }, index) => {
    try {
      const password = readSecretText(resolve(dirname(file), passwordFile));
      return [{ ...pool, password, tls: withAbsolutePath(pool.tls, file) }];
    } catch (error) {
      fault(`${file}: pools.${index}.passwordFile: ${wordsOf(error)}`);
      return [];
    }
  });
}

function readPools(file: string, fault: Fault): z.output<typeof pool>[] {
  const content = readYaml(file, fault);
  if (content === undefined) return [];
  const result = settingsFile.safeParse(content);
  if (result.success) return result.data.pools;
  for (const { path, message } of result.error.issues) fault(`${file}: ${path.join('.') || 'the file'}: ${message}`);
  return [];
}

function readYaml(file: string, fault: Fault): unknown {
  try {
    return parseYaml(readFileSync(file, 'utf8'), (where) => fault(`${file}: ${where}`));
  } catch (error) {
    fault(wordsOf(error));
    return undefined;
  }
}

/** The parser's own words quote the text, where somebody may have written a password: only the place is told. */
function parseYaml(text: string, fault: Fault): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0]);
    fault(`no YAML from line ${line}, column ${col} on (${broken.code})`);
    return undefined;
  }
  try {
    return document.toJS() ?? {};
  } catch {
    fault('no YAML: an alias (an unquoted *) names an anchor that is not there');
    return undefined;
  }
}

function withAbsolutePath(given: z.output<typeof tls>, file: string): PoolSettings['tls'] {
  if (given.mode !== 'ca' || given.caFile === undefined) return given;
  return { ...given, caFile: resolve(dirname(file), given.caFile) };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
