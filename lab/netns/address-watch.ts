import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { run, start } from './commands.ts';

export type Networks = Readonly<Record<string, string>>;

const linksShape = z.array(
  z.looseObject({
    ifname: z.string(),
    addr_info: z.array(z.looseObject({ family: z.string(), local: z.string(), scope: z.string() })).default([]),
  }),
);

/** What the tools in a guest report of its interfaces, by the keys of guest metrics: `0/ip`, `0/ipv4/0`, `0/ipv6/0`. */
async function readNetworks(namespace: string): Promise<Networks> {
  const links = linksShape.parse(JSON.parse(await run(['ip', '-n', namespace, '-json', 'address', 'show'])));
  return Object.fromEntries(
    links.flatMap(({ ifname, addr_info: addresses }) => {
      const device = /^eth(\d+)$/.exec(ifname)?.[1];
      if (device === undefined) return [];
      const ipv4 = addresses.filter(({ family }) => family === 'inet').map(({ local }) => local);
      const ipv6 = addresses.filter(({ family, scope }) => family === 'inet6' && scope === 'global');
      const entries: [string, string][] = [];
      for (const address of ipv4.slice(0, 1)) entries.push([`${device}/ip`, address]);
      for (const [index, address] of ipv4.entries()) entries.push([`${device}/ipv4/${index}`, address]);
      for (const [index, { local }] of ipv6.entries()) entries.push([`${device}/ipv6/${index}`, local]);
      return entries;
    }),
  );
}

/** Tells of a guest's addresses, first as they are, then whenever they have changed. */
export class AddressWatch {
  readonly #namespace: string;
  readonly #monitor: ChildProcess;
  readonly #onNetworks: (networks: Networks) => void;
  #told: string | undefined;
  #reading: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(namespace: string, onNetworks: (networks: Networks) => void) {
    this.#namespace = namespace;
    this.#onNetworks = onNetworks;
    this.#monitor = start(['ip', '-n', namespace, 'monitor', 'address'], ['ignore', 'pipe', 'ignore']);
  }

  /** Resolves when the first report was made. */
  static async open(
    namespace: string,
    onNetworks: (networks: Networks) => void,
    onFault: (error: unknown) => void,
  ): Promise<AddressWatch> {
    const watch = new AddressWatch(namespace, onNetworks);
    watch.#monitor.stdout?.on('data', () => {
      watch.#reading = watch.#reading.then(() => watch.#tell()).catch(onFault);
    });
    watch.#monitor.on('error', onFault);
    await watch.#tell();
    return watch;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const gone = once(this.#monitor, 'exit');
    if (this.#monitor.kill('SIGKILL')) await gone;
    await this.#reading;
  }

  async #tell(): Promise<void> {
    if (this.#isClosed) return;
    const networks = await readNetworks(this.#namespace);
    const text = JSON.stringify(networks);
    if (text === this.#told) return;
    this.#told = text;
    this.#onNetworks(networks);
  }
}
