import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Io } from './io.ts';
import { ProfileStore } from './profiles.ts';
import { tokenFrom } from './server.ts';

const EXAMPLES = `
Examples:
  switchboard profile add prod --url https://ops.example.net --token-file ~/.secrets/prod-token
  switchboard profile use prod
  switchboard runs --profile lab

SWITCHBOARD_URL and SWITCHBOARD_TOKEN win over every profile.`;

/** Several servers, one of them current. */
export function profileCommand(io: Io): Command {
  const store = new ProfileStore(io.settings.configFile);
  return new Command('profile')
    .description('Servers to work with: list, use, add, remove')
    .addHelpText('after', EXAMPLES)
    .addCommand(list(io, store))
    .addCommand(use(io, store))
    .addCommand(add(io, store))
    .addCommand(remove(io, store));
}

function list(io: Io, store: ProfileStore): Command {
  return new Command('list')
    .description('List the profiles; the current one is marked')
    .option('--json', 'data as JSON')
    .action(({ json }: { readonly json?: boolean }) => {
      const { current, profiles } = store.read();
      const found = Object.entries(profiles).map(([name, { url, tokenFile }]) => {
        return { name, current: name === current, url, tokenFile };
      });
      if (json === true) io.out(`${JSON.stringify(found)}\n`);
      else
        for (const one of found)
          io.out(`${one.current ? '*' : ' '} ${one.name}  ${one.url}  ${one.tokenFile ?? 'no token'}\n`);
      if (found.length === 0)
        io.err('There are no profiles yet.\nNext: switchboard profile add NAME --url https://…\n');
    });
}

function use(io: Io, store: ProfileStore): Command {
  return new Command('use')
    .description('Make a profile the current one')
    .argument('<profile>', 'name of the profile')
    .action((name: string) => {
      store.use(name);
      io.err(`Commands go to ${store.read().profiles[name]?.url ?? name} from now on.\n`);
    });
}

function add(io: Io, store: ProfileStore): Command {
  return new Command('add')
    .description('Add a profile; the first one becomes the current one')
    .argument('<name>', 'lower-case letters, digits and dashes')
    .requiredOption('--url <url>', 'address of the API')
    .option('--token-file <path>', 'file with the token, readable by you alone')
    .action((name: string, { url, tokenFile }: { readonly url: string; readonly tokenFile?: string }) => {
      const path = tokenFile === undefined ? undefined : resolve(io.folder, tokenFile);
      if (path !== undefined) tokenFrom(io, path);
      store.add(name, path === undefined ? { url } : { url, tokenFile: path });
      io.err(`Profile ${name} is in ${store.path}.\nNext: switchboard runs --profile ${name}\n`);
    });
}

function remove(io: Io, store: ProfileStore): Command {
  return new Command('remove')
    .description('Remove a profile; its token file stays')
    .argument('<profile>', 'name of the profile')
    .action((name: string) => {
      store.remove(name);
      io.err(`Profile ${name} is gone from ${store.path}.\n`);
    });
}
