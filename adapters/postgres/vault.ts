import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { OperationFailure } from '../../domain/errors.ts';
import type { Db } from './database.ts';
import { orStoreUnavailable } from './database.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const VAULT_KEY_BYTES = 32;

interface Sealed {
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

/**
 * Secrets of a run (user data, host keys), AES-256-GCM at rest. Run id and name are authenticated with each,
 * so that a row moved to another run does not open. Workflows see the run id only.
 */
export class Vault {
  readonly #key: Buffer;

  constructor(key: Buffer) {
    if (key.length !== VAULT_KEY_BYTES) throw new Error(`the secrets key must have ${VAULT_KEY_BYTES} bytes`);
    this.#key = key;
  }

  async put(db: Db, runId: string, name: string, value: string): Promise<void> {
    const { nonce, ciphertext } = this.#seal(`${runId}/${name}`, value);
    await orStoreUnavailable(() =>
      db
        .insertInto('run_secrets')
        .values({ run_id: runId, name, nonce, ciphertext })
        .onConflict((conflict) => conflict.columns(['run_id', 'name']).doNothing())
        .execute(),
    );
  }

  async find(db: Db, runId: string, name: string): Promise<string | undefined> {
    const row = await orStoreUnavailable(() =>
      db
        .selectFrom('run_secrets')
        .select(['nonce', 'ciphertext'])
        .where('run_id', '=', runId)
        .where('name', '=', name)
        .executeTakeFirst(),
    );
    return row === undefined ? undefined : this.#open(`${runId}/${name}`, row);
  }

  #seal(owner: string, value: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(owner));
    const ciphertext = Buffer.concat([cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { nonce, ciphertext };
  }

  #open(owner: string, { nonce, ciphertext }: Sealed): string {
    const body = ciphertext.subarray(0, -TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce)
      .setAAD(Buffer.from(owner))
      .setAuthTag(ciphertext.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    } catch (error) {
      const why = 'it was sealed with another key file or has been altered';
      throw new OperationFailure(
        'SECRET_GONE',
        `A secret of run ${owner} cannot be opened: ${why}.`,
        {},
        { cause: error },
      );
    }
  }
}
