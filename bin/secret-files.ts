import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { VAULT_KEY_BYTES } from '../adapters/postgres/vault.ts';

const OTHERS = 0o077;

/** Reads a file that only its owner may read; throws a sentence that says what to do when others can. */
export function readSecretFile(path: string): Buffer {
  const { mode } = statSync(path);
  if ((mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(`${path} can be read by others (mode ${octal}): chmod 600 ${path}`);
  }
  return readFileSync(path);
}

/** The text of a secret file without the line break that editors leave at its end. */
export function readSecretText(path: string): string {
  const text = readSecretFile(path).toString('utf8').trimEnd();
  if (text === '') throw new Error(`${path} is empty`);
  return text;
}

export function readSecretsKey(path: string): Buffer {
  const key = readSecretFile(path);
  if (key.length === VAULT_KEY_BYTES) return key;
  throw new Error(
    `${path} has ${key.length} bytes; a key has exactly ${VAULT_KEY_BYTES} (openssl rand ${VAULT_KEY_BYTES})`,
  );
}

/**
 * The key of this machine, made by whoever needs it first. API and worker may come at the same moment: the file appears
 * under its name complete, and the one that comes second takes what is there.
 */
export function readOrMakeSecretsKey(path: string): Buffer {
  if (!existsSync(path)) makeKey(path);
  return readSecretsKey(path);
}

function makeKey(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, randomBytes(VAULT_KEY_BYTES), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    unlinkSync(draft);
  }
}
