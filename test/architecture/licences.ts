import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface PackageLicence {
  readonly name: string;
  /** As the package says it; empty when it says nothing. */
  readonly licence: string;
}

/** Licences that ask for no more than their notice; a package under another one is named in NOTICE. */
const PERMISSIVE = ['MIT', 'ISC', 'Apache-2.0', 'Apache-2.0 AND MIT', '0BSD', 'Unlicense', 'BlueOak-1.0.0'];
const BSD = /^BSD-[123]-Clause$/;

interface LockEntry {
  readonly dev?: boolean;
  readonly license?: string;
}

/**
 * Every package that a production installation may hold, with its licence, from the lockfile or the package itself.
 * What says nothing in the lockfile and is not installed is the native part of a package for another platform: the part
 * for this platform speaks for it.
 */
export function productionLicences(root: string): PackageLicence[] {
  const lock = readJson(join(root, 'package-lock.json')) as { packages: Record<string, LockEntry> };
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.dev !== true)
    .filter(([path, entry]) => entry.license !== undefined || existsSync(join(root, path)))
    .map(([path, entry]) => ({
      name: path.replace(/^.*node_modules\//, ''),
      licence: entry.license ?? declaredLicence(join(root, path)),
    }));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Old packages say it in `licenses`, a list. */
function declaredLicence(folder: string): string {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return '';
  const { license, licenses } = readJson(manifest) as { license?: string; licenses?: readonly { type: string }[] };
  return license ?? licenses?.map((one) => one.type).join(' AND ') ?? '';
}

/** One sentence per package whose terms are not simply permissive and that NOTICE does not name with its licence. */
export function unnamedLicences(packages: readonly PackageLicence[], notice: string): string[] {
  return packages
    .filter(({ licence }) => !PERMISSIVE.includes(licence) && !BSD.test(licence))
    .filter(({ name, licence }) => !notice.split('\n').some((line) => namesPackage(line, name, licence)))
    .map(({ name, licence }) => `${name} (${licence === '' ? 'no licence declared' : licence}) is not named in NOTICE`);
}

function namesPackage(line: string, name: string, licence: string): boolean {
  return line.startsWith(`- ${name} `) && line.includes(licence);
}
