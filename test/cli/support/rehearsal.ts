import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import type { Finished } from './shell.ts';
import { Shell } from './shell.ts';

/** What `lab up --json` says. */
export interface Up {
  readonly pid: number;
  readonly controlUrl: string;
  readonly pools: readonly {
    readonly id: string;
    readonly url: string;
    readonly user: string;
    readonly password: string;
  }[];
}

/** A person in an empty folder for each test; a lab that they left running ends with it. */
export class Rehearsal {
  #folder = '';

  constructor() {
    beforeEach(() => {
      this.#folder = mkdtempSync(join(tmpdir(), 'switchboard-lab-'));
    });
    afterEach(async () => {
      await this.run('lab', 'down');
      rmSync(this.#folder, { recursive: true });
    });
  }

  get folder(): string {
    return this.#folder;
  }

  get env(): Record<string, string> {
    return { XDG_STATE_HOME: this.#folder };
  }

  get shell(): Shell {
    return new Shell(this.#folder, this.env);
  }

  async run(...args: string[]): Promise<Finished> {
    return this.shell.run(args);
  }

  async up(...args: string[]): Promise<Up> {
    return JSON.parse((await this.run('lab', 'up', '--detach', '--json', ...args)).stdout) as Up;
  }
}

/** A call to the first pool, on a session of its own. */
export async function call({ pools: [pool] }: Up, method: string, ...params: unknown[]): Promise<{ result?: unknown }> {
  const send = async (name: string, all: unknown[]) => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: name, params: all, id: 1 });
    return (await (await fetch(`${pool?.url}/jsonrpc`, { method: 'POST', body })).json()) as { result?: unknown };
  };
  const { result: session } = await send('session.login_with_password', [pool?.user, pool?.password]);
  return send(method, [session, ...params]);
}
