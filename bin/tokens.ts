/**
 * Tokens of the API, kept in the database that DATABASE_URL names: whoever may use the database may make the first one.
 * `node dist/bin/tokens.js create --name alice --role operator --expires 90d`, `list`, `revoke <id>`.
 */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { migrate, openDatabase } from '../adapters/postgres/database.ts';
import { TokenStore } from '../adapters/postgres/token-store.ts';
import type { TokenRow } from '../adapters/postgres/token-store.ts';
import { OperationFailure } from '../domain/errors.ts';
import { isRole, ROLES } from '../domain/permissions.ts';
import type { Role } from '../domain/permissions.ts';
import { ConfigFaults, loadDatabaseUrl } from './config.ts';

const DAY_MS = 86_400_000;
const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS };
const MAX_NAME_CHARS = 100;
const ROLE_WORDS = 'viewer: looks on; operator: may run what takes nothing away; admin: may run everything';

/** What stops the command in words for a person. */
class Refused extends Error {
  override readonly name = 'Refused';
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function hint(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function withTokens(work: (tokens: TokenStore) => Promise<void>): Promise<void> {
  const url = loadDatabaseUrl(process.env);
  await migrate(url);
  const database = openDatabase(url, 1);
  try {
    await work(new TokenStore(database.db));
  } finally {
    await database.close();
  }
}

function nameFrom(text: string): string {
  if (/^[\p{L}\p{N}][\p{L}\p{N} ._@-]*$/u.test(text) && text.length <= MAX_NAME_CHARS) return text;
  throw new InvalidArgumentError(`letters, digits, spaces and ._@-, at most ${MAX_NAME_CHARS} characters`);
}

function lifetimeMsFrom(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit ?? ''];
  if (unitMs === undefined) throw new InvalidArgumentError('a number with h, d or w: 12h, 90d, 52w');
  return Number(count) * unitMs;
}

function roleFrom(text: string): Role {
  if (isRole(text)) return text;
  throw new InvalidArgumentError(`one of ${Object.keys(ROLES).join(', ')}`);
}

async function create({ name, role, expires }: { name: string; role: Role; expires?: number }): Promise<void> {
  const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires);
  await withTokens(async (tokens) => {
    const { id, token } = await tokens.create(name, role, expiresAt);
    say(token);
    hint(
      `Token ${id} of ${name}, role ${role} (${ROLES[role].join(', ')}), ${expiresAt === undefined ? 'never expires' : `expires ${expiresAt.toISOString()}`}.`,
    );
    hint('It is shown only now: only its SHA-256 is kept. Put it into a file of mode 600 and name that file in');
    hint('SWITCHBOARD_TOKEN_FILE of the command line.');
  });
}

async function list({ json }: { json?: boolean }): Promise<void> {
  await withTokens(async (tokens) => {
    const rows = await tokens.list();
    if (json === true) say(JSON.stringify(rows));
    else
      for (const row of rows)
        say([row.id, stateOf(row).padEnd(8), row.role.padEnd(8), row.name, timesOf(row)].join('  '));
  });
}

function stateOf({ revokedAt, expiresAt }: TokenRow): string {
  if (revokedAt !== undefined) return 'revoked';
  return expiresAt !== undefined && expiresAt.getTime() <= Date.now() ? 'expired' : 'valid';
}

function timesOf({ createdAt, expiresAt, lastUsedAt }: TokenRow): string {
  const times = { created: createdAt, expires: expiresAt, 'last used': lastUsedAt };
  return Object.entries(times)
    .map(([what, at]) => `${what} ${at?.toISOString() ?? 'never'}`)
    .join('  ');
}

async function revoke(id: string): Promise<void> {
  await withTokens(async (tokens) => {
    const known = (await tokens.list()).find((row) => row.id === id);
    if (known === undefined) throw new Refused(`There is no token ${id}; nothing was revoked. See them with: list`);
    if (!(await tokens.revoke(id))) throw new Refused(`Token ${id} of ${known.name} was revoked before.`);
    say(`Token ${id} of ${known.name} is revoked. Its open streams end within seconds, its runs go on.`);
  });
}

function program(): Command {
  const tokens = new Command('tokens').description('Make, list and revoke tokens of the API').exitOverride();
  tokens
    .command('create')
    .description('Make a token and print it')
    .requiredOption('--name <name>', 'whose it is; runs show it as who asked', nameFrom)
    .requiredOption('--role <role>', ROLE_WORDS, roleFrom)
    .option('--expires <time>', 'how long it is valid: 12h, 90d, 52w; without it until it is revoked', lifetimeMsFrom)
    .action(create);
  tokens.command('list').description('List tokens, newest first').option('--json', 'data as JSON').action(list);
  tokens.command('revoke').description('Make a token invalid, at once').argument('<id>', 'as listed').action(revoke);
  return tokens;
}

async function main(): Promise<number> {
  try {
    await program().parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    const told = error instanceof ConfigFaults || error instanceof OperationFailure || error instanceof Refused;
    if (!told) throw error;
    hint(error.message);
    return 1;
  }
}

process.exitCode = await main();
