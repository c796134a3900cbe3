import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { TemporalSettings } from '../adapters/temporal/connect.ts';
import { loadTemporalSettings } from '../adapters/temporal/connect.ts';
import type { PoolSettings } from '../adapters/xapi/xapi.ts';
import { readPoolIds, readPoolSettings } from './pools-file.ts';
import { readOrMakeSecretsKey, readSecretsKey, readSecretText } from './secret-files.ts';

type Env = Readonly<Record<string, string | undefined>>;

interface CommonConfig {
  /** Where Prometheus asks; nothing listens without it. */
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly databaseUrl: string;
  readonly temporal: TemporalSettings;
  readonly taskQueue: string;
  /** 32 bytes; the same file for the API and every worker. */
  readonly secretsKey: Buffer;
}

export interface ApiConfig extends CommonConfig {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Taken over as the token of `operator`; the others are in the database. */
  readonly token?: string;
  /** Requests per minute and token. */
  readonly ratePerMinute: number;
  readonly poolIds: readonly string[];
  readonly temporalUiUrl?: string;
}

export interface WorkerConfig extends CommonConfig {
  readonly pools: readonly PoolSettings[];
  /** host:port where the Temporal SDK of the worker answers with its own metrics. */
  readonly temporalMetricsAddress?: string;
}

/** Every fault of a configuration at once; each line names the variable or the path in the file. */
export class ConfigFaults extends Error {
  override readonly name = 'ConfigFaults';
}

const MIN_TOKEN_CHARS = 20;
const MAX_PORT = 65_535;

const common = {
  DATABASE_URL: z.url({
    protocol: /^postgres(ql)?$/,
    error: 'the address of the PostgreSQL database: postgresql://user:password@host:port/database',
  }),
  SWITCHBOARD_TASK_QUEUE: z.string().default('switchboard'),
  SWITCHBOARD_METRICS_HOST: z.string().default('127.0.0.1'),
  SWITCHBOARD_METRICS_PORT: z.coerce.number().int().min(0).max(MAX_PORT).default(0),
  SWITCHBOARD_STATE_DIR: z.string().default('.switchboard'),
  SWITCHBOARD_SECRETS_KEY_FILE: file(readSecretsKey).optional(),
  'TEMPORAL_*': z.record(z.string(), z.string()).transform(reading(loadTemporalSettings)),
};

const apiEnvironment = z.object({
  ...common,
  SWITCHBOARD_API_HOST: z.string().default('127.0.0.1'),
  SWITCHBOARD_API_PORT: z.coerce.number().int().min(0).max(MAX_PORT).default(8080),
  SWITCHBOARD_TOKEN_FILE: file(readToken).optional(),
  SWITCHBOARD_RATE_PER_MINUTE: z.coerce.number().int().min(1).default(6_000),
  SWITCHBOARD_TEMPORAL_UI_URL: z.url({ protocol: /^https?$/, error: 'an http or https address' }).optional(),
  SWITCHBOARD_CONFIG: fileWithPaths(readPoolIds).default([]),
});

const workerEnvironment = z.object({
  ...common,
  SWITCHBOARD_TEMPORAL_METRICS_ADDRESS: z
    .string()
    .regex(/^\S+:\d+$/, 'host:port')
    .optional(),
  SWITCHBOARD_CONFIG: fileWithPaths(readPoolSettings).default([]),
});

/** Throws ConfigFaults. Reads and, on first use, makes the key file of the state folder; starts nothing. */
export function loadApiConfig(env: Env): ApiConfig {
  const given = read(apiEnvironment, env);
  return {
    ...commonFrom(given),
    host: given.SWITCHBOARD_API_HOST,
    port: given.SWITCHBOARD_API_PORT,
    token: given.SWITCHBOARD_TOKEN_FILE,
    ratePerMinute: given.SWITCHBOARD_RATE_PER_MINUTE,
    poolIds: given.SWITCHBOARD_CONFIG,
    temporalUiUrl: given.SWITCHBOARD_TEMPORAL_UI_URL,
  };
}

/** Throws ConfigFaults. For programs that need nothing but the database. */
export function loadDatabaseUrl(env: Env): string {
  return read(z.object({ DATABASE_URL: common.DATABASE_URL }), env).DATABASE_URL;
}

/** Throws ConfigFaults, also for password files that others can read. */
export function loadWorkerConfig(env: Env): WorkerConfig {
  const given = read(workerEnvironment, env);
  const temporalMetricsAddress = given.SWITCHBOARD_TEMPORAL_METRICS_ADDRESS;
  return { ...commonFrom(given), pools: given.SWITCHBOARD_CONFIG, temporalMetricsAddress };
}

function commonFrom(given: z.output<z.ZodObject<typeof common>>): CommonConfig {
  const { SWITCHBOARD_METRICS_HOST: host, SWITCHBOARD_METRICS_PORT: port } = given;
  const keyFile = resolve(given.SWITCHBOARD_STATE_DIR, join('secrets', 'key'));
  return {
    databaseUrl: given.DATABASE_URL,
    temporal: given['TEMPORAL_*'],
    taskQueue: given.SWITCHBOARD_TASK_QUEUE,
    metrics: port === 0 ? undefined : { host, port },
    secretsKey: given.SWITCHBOARD_SECRETS_KEY_FILE ?? defaultKey(keyFile),
  };
}

function defaultKey(path: string): Buffer {
  try {
    return readOrMakeSecretsKey(path);
  } catch (error) {
    throw new ConfigFaults(faultText([`SWITCHBOARD_STATE_DIR: ${wordsOf(error)}`]), { cause: error });
  }
}

/** An empty variable counts as not set. */
function read<Schema extends z.ZodType>(schema: Schema, env: Env): z.output<Schema> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse({ ...set, 'TEMPORAL_*': set });
  if (result.success) return result.data;
  throw new ConfigFaults(faultText(result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)));
}

function faultText(faults: readonly string[]): string {
  return ['The configuration cannot be used; nothing was started.', ...faults.map((fault) => `  ${fault}`)].join('\n');
}

function readToken(path: string): string {
  const token = readSecretText(path);
  if (/^[\x21-\x7e]+$/.test(token) && token.length >= MIN_TOKEN_CHARS) return token;
  throw new Error(`${path} holds no token: one line of at least ${MIN_TOKEN_CHARS} visible ASCII characters`);
}

function file<T>(load: (path: string) => T) {
  return z.string({ error: 'the path of a file' }).transform(reading(load));
}

/** A file whose reader tells several faults, each with its path. */
function fileWithPaths<T>(load: (path: string, fault: (message: string) => void) => T) {
  return z
    .string()
    .transform((path, context) => load(path, (message) => context.addIssue({ code: 'custom', message })));
}

function reading<From, To>(load: (value: From) => To) {
  return (value: From, context: z.RefinementCtx): To => {
    try {
      return load(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: wordsOf(error) });
      return z.NEVER;
    }
  };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
