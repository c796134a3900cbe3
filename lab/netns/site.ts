import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { execute, run } from './commands.ts';
import { isAlive, ownerOf, type Owner } from './owner.ts';

/** Gone after a restart of the machine, as the namespaces are. */
const sitesFolder = '/run/switchboard-lab';
const namespacesFolder = '/run/netns';
const ownerShape = z.object({ pid: z.number().int().positive(), startedAt: z.string() });
const diskSpaceMiB = 2048;

/**
 * What one lab owns on the machine: namespaces whose names begin with its mark, and a file system in memory for the disks of its
 * guests. A record that names the owning process is written before anything else is made, so that whatever a killed lab
 * leaves behind is known for what it is.
 */
export class Site {
  /** `switchboard-` and six hexadecimal digits. */
  readonly mark: string;
  /** Where the guests' disks are. */
  readonly folder: string;
  #lastNumber = 0;

  private constructor(mark: string) {
    this.mark = mark;
    this.folder = join(sitesFolder, mark);
  }

  /** Removes what dead labs have left, then makes a place for this process. */
  static async open(): Promise<Site> {
    const owner = ownerOf(process.pid);
    if (owner === undefined) throw new Error('The lab cannot read its own entry in /proc');
    mkdirSync(sitesFolder, { recursive: true, mode: 0o700 });
    await removeLeftovers();
    const site = new Site(`switchboard-${randomBytes(3).toString('hex')}`);
    writeRecord(site.mark, owner);
    mkdirSync(site.folder, { mode: 0o700 });
    await run(['mount', '-t', 'tmpfs', '-o', `mode=0700,size=${diskSpaceMiB}m`, site.mark, site.folder]);
    return site;
  }

  /** A number that nothing else of this lab has. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  async addNamespace(suffix: string): Promise<string> {
    const name = `${this.mark}-${suffix}`;
    await run(['ip', 'netns', 'add', name]);
    return name;
  }

  /** Everything is stopped already. */
  async close(): Promise<void> {
    await removeSite(this.mark);
  }
}

export async function removeNamespace(name: string): Promise<void> {
  const { exitCode, stderr } = await execute(['ip', 'netns', 'delete', name]);
  if (exitCode !== 0 && existsSync(join(namespacesFolder, name))) {
    throw new Error(`The namespace ${name} cannot be removed: ${stderr.trim()}`);
  }
}

/** A record appears whole or not at all. */
function writeRecord(mark: string, owner: Owner): void {
  const path = join(sitesFolder, `${mark}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(owner));
  renameSync(`${path}.new`, path);
}

/** Another lab may do the same at the same time: whoever comes second finds nothing. */
async function removeLeftovers(): Promise<void> {
  const marks = readdirSync(sitesFolder).flatMap((name) => /^(switchboard-[0-9a-f]{6})\.json$/.exec(name)?.[1] ?? []);
  for (const mark of marks) {
    const owner = readOwner(mark);
    if (owner !== undefined && !isAlive(owner)) await removeSite(mark);
  }
}

function readOwner(mark: string): Owner | undefined {
  try {
    return ownerShape.parse(JSON.parse(readFileSync(join(sitesFolder, `${mark}.json`), 'utf8')));
  } catch {
    // Just removed by the other one, or not written by us: not ours to touch either way.
    return undefined;
  }
}

/** The record goes last: a removal that is cut off is taken up by the next start. */
async function removeSite(mark: string): Promise<void> {
  const namespaces = existsSync(namespacesFolder) ? readdirSync(namespacesFolder) : [];
  for (const name of namespaces.filter((one) => one.startsWith(`${mark}-`))) await removeNamespace(name);
  const folder = join(sitesFolder, mark);
  if (existsSync(folder)) {
    // Lazily: a process that was killed a moment ago may still hold a file. Fails when nothing is mounted (any more).
    await execute(['umount', '--lazy', folder]);
    if (existsSync(folder)) rmdirSync(folder);
  }
  rmSync(join(sitesFolder, `${mark}.json`), { force: true });
}
