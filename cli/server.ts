import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Io, Settings } from './io.ts';
import { CliFailure, EXIT } from './io.ts';
import { noSuchProfile, ProfileStore } from './profiles.ts';
import { wordsOf } from './words.ts';

/** Where requests go and what they carry. */
export interface Server {
  readonly url: string;
  readonly token: string | undefined;
}

/** Where `npm start` listens. */
const LOCAL_URL = 'http://127.0.0.1:8080';

/**
 * The environment wins over profiles, a profile over the stack of this folder. A token goes to nobody but the server it
 * is for: the file of a profile is never sent to the address in SWITCHBOARD_URL.
 */
export function serverFor(io: Pick<Io, 'settings' | 'readSecret'>, wanted: string | undefined): Server {
  const { settings } = io;
  if (settings.url !== undefined && wanted !== undefined) {
    throw new CliFailure(
      `--profile ${wanted} and SWITCHBOARD_URL (${settings.url}) both name a server; nothing was sent.\n` +
        'Next: unset SWITCHBOARD_URL, or leave --profile out',
      EXIT.usage,
    );
  }
  const profile = settings.url === undefined ? profileFor(settings, wanted) : undefined;
  const url = settings.url ?? profile?.url ?? LOCAL_URL;
  if (settings.token !== undefined) return { url, token: settings.token };
  const file = settings.tokenFile ?? (profile === undefined ? localTokenFile(settings) : profile.tokenFile);
  return { url, token: file === undefined ? undefined : tokenFrom(io, file) };
}

function profileFor(settings: Settings, wanted: string | undefined) {
  const store = new ProfileStore(settings.configFile);
  const { profiles, current } = store.read();
  const name = wanted ?? settings.profile ?? current;
  if (name === undefined) return undefined;
  const found = profiles[name];
  if (found === undefined) throw noSuchProfile(name, Object.keys(profiles));
  const { url, tokenFile } = found;
  return { url, tokenFile: tokenFile === undefined ? undefined : resolve(dirname(store.path), tokenFile) };
}

function localTokenFile({ localTokenFile: path }: Settings): string | undefined {
  return existsSync(path) ? path : undefined;
}

export function tokenFrom(io: Pick<Io, 'readSecret'>, file: string): string {
  try {
    return io.readSecret(file);
  } catch (error) {
    throw new CliFailure(`The token cannot be read, nothing was sent: ${wordsOf(error)}`, EXIT.usage);
  }
}
