import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { parseYaml } from './yaml-text.ts';

const unpackedBytesAtMost = 16 * 1024 * 1024;

const keyList = z.union([z.string().transform((key) => [key]), z.array(z.string())]);

const userEntry = z.union([
  z.string().transform((name) => ({ name, keys: [] as string[] })),
  z
    .looseObject({
      name: z.string(),
      ssh_authorized_keys: keyList.optional(),
      'ssh-authorized-keys': keyList.optional(),
    })
    .transform((user) => ({
      name: user.name,
      keys: [...(user.ssh_authorized_keys ?? []), ...(user['ssh-authorized-keys'] ?? [])],
    })),
]);

const fileEntry = z.looseObject({
  path: z.string().startsWith('/'),
  content: z.union([z.string(), z.number().transform(String)]).default(''),
  encoding: z.string().default('text/plain'),
  append: z.boolean().default(false),
  /** An octal number: as text `'0640'`, or written bare, which YAML 1.1 reads as octal. */
  permissions: z
    .union([z.string().regex(/^0?[0-7]{3,4}$/), z.number().transform((mode) => mode.toString(8))])
    .optional(),
  owner: z
    .string()
    .regex(/^[a-z_][\w-]*(:[a-z_][\w-]*)?$/)
    .optional(),
});

/** A line for the shell, or the words of a program and its arguments. */
const commandEntry = z.union([z.string(), z.array(z.union([z.string(), z.number().transform(String)])).min(1)]);

/** The part of #cloud-config that the guests carry out. Keys beyond it are named on the console and have no effect. */
const modules = {
  hostname: z.string(),
  fqdn: z.string(),
  disable_root: z.boolean(),
  runcmd: z.array(commandEntry),
  ssh_authorized_keys: keyList,
  ssh_deletekeys: z.boolean(),
  ssh_keys: z.record(z.string(), z.string()),
  users: z.array(userEntry),
  write_files: z.array(fileEntry),
} as const;

type CloudConfig = { readonly [Key in keyof typeof modules]?: z.output<(typeof modules)[Key]> };

export interface WrittenFile {
  readonly content: Buffer;
  /** Octal. */
  readonly permissions: string;
  /** `user` or `user:group`. */
  readonly owner: string;
}

/** What user-data asks for, with cloud-init's defaults filled in. */
export interface UserData {
  readonly hostname: string | undefined;
  /** Public keys in authorized_keys form, per user name. */
  readonly authorizedKeys: ReadonlyMap<string, readonly string[]>;
  /** Private host keys, per type (`ed25519`, `rsa`, `ecdsa`). */
  readonly hostKeys: ReadonlyMap<string, string>;
  readonly deletesImageHostKeys: boolean;
  readonly files: ReadonlyMap<string, WrittenFile>;
  /** In their order, at the end of the first boot. */
  readonly commands: readonly (string | readonly string[])[];
}

/**
 * Carries out user-data like cloud-init: what is not `#cloud-config` (a script, anything without a header) and what it cannot read has
 * no effect but a line on the console, and the machine boots without it.
 */
export function readUserData(text: string, defaultUser: string, log: (line: string) => void): UserData {
  const config = readCloudConfig(text, log);
  return {
    hostname: config.hostname ?? config.fqdn?.split('.')[0],
    authorizedKeys: authorizedKeys(config, defaultUser),
    hostKeys: hostKeys(config, log),
    deletesImageHostKeys: config.ssh_deletekeys ?? true,
    files: writtenFiles(config, log),
    commands: config.runcmd ?? [],
  };
}

function readCloudConfig(text: string, log: (line: string) => void): CloudConfig {
  const start = text.trimStart();
  if (start.startsWith('#!')) {
    log('cloud-init: user-data is a script; the lab does not run it');
    return {};
  }
  if (!/^#cloud-config(?!-)/i.test(start)) {
    if (start !== '') log('cloud-init: user-data ignored: its first line is not #cloud-config');
    return {};
  }
  try {
    return validModules(parseYaml(text, 'user-data') ?? {}, log);
  } catch (error) {
    log(`cloud-init: user-data ignored: ${error instanceof Error ? error.message : String(error)}`);
    return {};
  }
}

function validModules(document: unknown, log: (line: string) => void): CloudConfig {
  const config: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(z.record(z.string(), z.unknown()).parse(document))) {
    const schema = Object.entries(modules).find(([name]) => name === key)?.[1];
    const result = schema?.safeParse(value);
    if (!result) log(`cloud-init: ${key} is not carried out in the lab: ${JSON.stringify(value)}`);
    else if (result.success) config[key] = result.data;
    else log(`cloud-init: ${key} ignored: ${z.prettifyError(result.error)}`);
  }
  return config;
}

/** Top-level keys go to the default user, which a `users` list without `default` abolishes, and to root only if it may log in. */
function authorizedKeys(config: CloudConfig, defaultUser: string): Map<string, string[]> {
  const byUser = new Map<string, string[]>();
  const add = (user: string, keys: readonly string[]): void => {
    byUser.set(user, [...(byUser.get(user) ?? []), ...keys]);
  };
  const shared = config.ssh_authorized_keys ?? [];
  for (const user of config.users ?? [{ name: 'default', keys: [] }]) {
    if (user.name === 'default') add(defaultUser, shared);
    else add(user.name, user.keys);
  }
  if (config.disable_root === false) add('root', shared);
  return byUser;
}

function hostKeys(config: CloudConfig, log: (line: string) => void): Map<string, string> {
  const keys = new Map<string, string>();
  for (const [name, value] of Object.entries(config.ssh_keys ?? {})) {
    const [, type, part] = /^(rsa|ecdsa|ed25519)_(private|public|certificate)$/.exec(name) ?? [];
    if (!type) log(`cloud-init: ssh_keys.${name} ignored: unknown kind of key`);
    if (type && part === 'private') keys.set(type, value);
  }
  return keys;
}

function writtenFiles(config: CloudConfig, log: (line: string) => void): Map<string, WrittenFile> {
  const files = new Map<string, WrittenFile>();
  for (const { path, content, encoding, append, permissions = '0644', owner = 'root' } of config.write_files ?? []) {
    try {
      const before = append ? (files.get(path)?.content ?? Buffer.alloc(0)) : Buffer.alloc(0);
      files.set(path, { content: Buffer.concat([before, decode(content, encoding)]), permissions, owner });
    } catch (error) {
      log(`cloud-init: ${path} not written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return files;
}

function decode(content: string, encoding: string): Buffer {
  const [first, second] = encoding.toLowerCase().split('+');
  const isGzip = first === 'gz' || first === 'gzip';
  const base = isGzip ? second : first;
  const isBase64 = base === 'b64' || base === 'base64';
  const raw = Buffer.from(content, isBase64 ? 'base64' : isGzip ? 'latin1' : 'utf8');
  return isGzip ? gunzipSync(raw, { maxOutputLength: unpackedBytesAtMost }) : raw;
}
