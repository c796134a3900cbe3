import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import { CliFailure, EXIT } from './io.ts';

const profileName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a profile name: lower-case letters, digits and dashes');

const profile = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'a URL that starts with http:// or https://' }),
  tokenFile: z.string().optional(),
});

const config = z.strictObject({
  current: profileName.optional(),
  profiles: z.record(profileName, profile).default({}),
});

/** A server and the file with the token for it. */
export type Profile = z.output<typeof profile>;
export type Profiles = z.output<typeof config>;

/** The servers that a person works with, in one YAML file; comments in it survive every change. */
export class ProfileStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  read(): Profiles {
    return this.#checked(this.#document());
  }

  /** Throws CliFailure when the name is free neither of faults nor of an owner. */
  add(name: string, entry: Profile): void {
    refuseFaulty(profileName, name);
    refuseFaulty(profile, entry);
    const document = this.#document();
    const { profiles, current } = this.#checked(document);
    if (name in profiles) {
      throw new CliFailure(
        `There is a profile ${name} already; nothing was changed.\nNext: switchboard profile remove ${name}`,
        EXIT.usage,
      );
    }
    document.setIn(['profiles', name], entry);
    if (current === undefined) document.set('current', name);
    this.#write(document);
  }

  use(name: string): void {
    const document = this.#document();
    this.#require(document, name);
    document.set('current', name);
    this.#write(document);
  }

  remove(name: string): void {
    const document = this.#document();
    this.#require(document, name);
    document.deleteIn(['profiles', name]);
    if (document.get('current') === name) document.delete('current');
    this.#write(document);
  }

  #require(document: Document, name: string): void {
    const { profiles } = this.#checked(document);
    if (!(name in profiles)) throw noSuchProfile(name, Object.keys(profiles));
  }

  #document(): Document {
    const document = parseDocument(existsSync(this.path) ? readFileSync(this.path, 'utf8') : '{}');
    const [fault] = document.errors;
    if (fault !== undefined) throw this.#unusable(fault.message);
    if (document.contents === null) return parseDocument('{}');
    return document;
  }

  #checked(document: Document): Profiles {
    const result = config.safeParse(document.toJS());
    if (!result.success) throw this.#unusable(z.prettifyError(result.error));
    return result.data;
  }

  /** Complete or not at all: another command may read it at this moment. */
  #write(document: Document): void {
    this.#checked(document);
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const draft = `${this.path}.${process.pid}`;
    writeFileSync(draft, document.toString({ flowCollectionPadding: false }), { mode: 0o600 });
    renameSync(draft, this.path);
  }

  #unusable(why: string): CliFailure {
    return new CliFailure(`The profiles in ${this.path} cannot be used; nothing was done.\n${why}`, EXIT.usage);
  }
}

function refuseFaulty(schema: z.ZodType, value: unknown): void {
  const result = schema.safeParse(value);
  if (result.success) return;
  const words = result.error.issues.map(({ message }) => message).join(', ');
  throw new CliFailure(`The profile was not added: expected ${words}.`, EXIT.usage);
}

export function noSuchProfile(name: string, known: readonly string[]): CliFailure {
  const there = known.length === 0 ? 'There are none yet.' : `There are: ${known.join(', ')}.`;
  return new CliFailure(
    `There is no profile ${name}. ${there}\nNext: switchboard profile add ${name} --url https://…`,
    EXIT.usage,
  );
}
