import { createHash, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { Role } from '../../domain/permissions.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';

/** Everything about a token but itself. */
export interface TokenRow {
  readonly id: string;
  /** Of the person or program that it was given to; what runs show as `requestedBy`. */
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly revokedAt?: Date;
  /** To the minute. */
  readonly lastUsedAt?: Date;
}

const RANDOM_BYTES = 32;

/**
 * API tokens, of which only the SHA-256 is kept: they are random, so that nothing slower is needed, and a digest that is
 * looked up says nothing by the time it takes. Every method throws STORE_UNAVAILABLE when PostgreSQL is away.
 */
export class TokenStore {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Makes a token; this is the only moment at which anybody sees it. */
  async create(name: string, role: Role, expiresAt?: Date): Promise<{ id: string; token: string }> {
    const token = `swb_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
    const id = uuidv7();
    const row = { id, name, role, digest: digestOf(token), expires_at: expiresAt };
    await orStoreUnavailable(() => this.#db.insertInto('tokens').values(row).execute());
    return { id, token };
  }

  /** Takes a token over that was made elsewhere. One that is known already stays as it is, revoked ones too. */
  async adopt(name: string, role: Role, token: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db
        .insertInto('tokens')
        .values({ id: uuidv7(), name, role, digest: digestOf(token) })
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .execute(),
    );
  }

  /** The newest first. */
  async list(): Promise<TokenRow[]> {
    const rows = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('tokens')
        .select(['id', 'name', 'role', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'])
        .orderBy('id', 'desc')
        .execute(),
    );
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      role: row.role,
      createdAt: row.created_at,
      expiresAt: row.expires_at ?? undefined,
      revokedAt: row.revoked_at ?? undefined,
      lastUsedAt: row.last_used_at ?? undefined,
    }));
  }

  /** Answers whether there was such a token that was not revoked yet. */
  async revoke(id: string): Promise<boolean> {
    const { numUpdatedRows } = await orStoreUnavailable(() =>
      this.#db
        .updateTable('tokens')
        .set({ revoked_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst(),
    );
    return numUpdatedRows === 1n;
  }

  /** Whom a token belongs to now and what it permits; undefined when it is unknown, expired or revoked. */
  async callerOf(token: string): Promise<Pick<TokenRow, 'name' | 'role'> | undefined> {
    const row = await orStoreUnavailable(() =>
      this.#db
        .selectFrom('tokens')
        .select([
          'id',
          'name',
          'role',
          sql<boolean | null>`last_used_at > now() - interval '1 minute'`.as('used_lately'),
        ])
        .where('digest', '=', digestOf(token))
        .where('revoked_at', 'is', null)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', sql<Date>`now()`)]))
        .executeTakeFirst(),
    );
    if (row === undefined) return undefined;
    if (row.used_lately !== true) await this.#touch(row.id);
    return { name: row.name, role: row.role };
  }

  async #touch(id: string): Promise<void> {
    await orStoreUnavailable(() =>
      this.#db
        .updateTable('tokens')
        .set({ last_used_at: sql<Date>`date_trunc('minute', now())` })
        .where('id', '=', id)
        .execute(),
    );
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
