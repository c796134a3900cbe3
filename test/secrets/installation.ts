import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { generateHostKey } from '../../adapters/ssh/host-key.ts';
import { defaultPool } from '../../lab/scenario.ts';
import { eventually } from '../support/eventually.ts';
import { startSite } from '../support/site.ts';
import type { Site } from '../support/site.ts';
import { Programs } from './programs.ts';
import type { Texts } from './readable.ts';

/** A run as the API shows it, as far as these tests look. */
export interface View {
  readonly id: string;
  readonly state: string;
  readonly failure?: { readonly code: string };
  readonly result?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly run: View;
}

export function marked(what: string): string {
  return `marked-${what}-${randomBytes(12).toString('hex')}`;
}

/** Marked secrets wherever Switchboard takes one, the shipped programs that take them, and what they answered. */
export class Installation {
  readonly secrets = {
    poolPassword: marked('pool-password'),
    wrongPoolPassword: marked('wrong-password'),
    apiToken: marked('token'),
    databasePassword: marked('database-password'),
    userData: marked('user-data'),
  };
  /** Allowed in by the VMs that `vm` describes. */
  readonly operator = generateHostKey();
  readonly answers: Texts = {};
  readonly site: Site;
  readonly databaseUrl: string;
  readonly programs: Programs;
  readonly #role: string;

  static async start(): Promise<Installation> {
    const poolPassword = marked('pool-password');
    const lab = { pools: [{ ...defaultPool(), user: 'root', password: poolPassword }] };
    const installation = new Installation(await startSite({ worker: false, lab }), poolPassword);
    await installation.#createRole();
    await installation.programs.start();
    return installation;
  }

  private constructor(site: Site, poolPassword: string) {
    this.site = site;
    this.secrets.poolPassword = poolPassword;
    this.#role = `marked_${randomUUID().replaceAll('-', '')}`;
    const url = new URL(site.databaseUrl);
    url.username = this.#role;
    url.password = this.secrets.databasePassword;
    this.databaseUrl = url.href;
    const passwords = { ams1: poolPassword, ams2: this.secrets.wrongPoolPassword };
    this.programs = new Programs(site, { token: this.secrets.apiToken, databaseUrl: url.href, passwords });
  }

  /** Sends JSON and keeps the answer's text, whatever it is. */
  async ask(method: string, path: string, body?: unknown, token = this.secrets.apiToken): Promise<Answer> {
    const response = await fetch(`${this.programs.apiUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...{ 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const headers = JSON.stringify([...response.headers]);
    this.answers[`answer ${Object.keys(this.answers).length} to ${method} ${path}`] = `${headers}\n${text}`;
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const { run } = (isJson ? JSON.parse(text) : {}) as { run: View };
    return { status: response.status, run };
  }

  async begin(operation: string, input: Record<string, unknown>): Promise<View> {
    return (await this.ask('POST', '/v1/runs', { operation, input })).run;
  }

  async ended({ id }: View): Promise<View> {
    const ended = ['succeeded', 'failed', 'cancelled', 'needs-operator'];
    const answer = await eventually(
      () => this.ask('GET', `/v1/runs/${id}`),
      ({ run }) => ended.includes(run.state),
      `run ${id} ends`,
    );
    return answer.run;
  }

  async run(operation: string, input: Record<string, unknown>): Promise<View> {
    return this.ended(await this.begin(operation, input));
  }

  vm(name: string, pool = 'ams1') {
    const { userData: secret } = this.secrets;
    // Parsers of YAML warn of a tag that they do not know, and quote its line.
    const userData = `#cloud-config\nwrite_files:\n  - path: /etc/secret\n    content: ${secret}\nx: !vault ${secret}\n`;
    return {
      ...{ pool, name, template: 'debian-12', networks: ['tenant'], addressTimeoutSeconds: 5 },
      ...{ sshAuthorizedKeys: [this.operator.publicKey], userData },
    };
  }

  /** Programs first: they use the database as the role. */
  async stop(): Promise<void> {
    await this.programs.stop();
    await this.#asOwner(`drop role ${this.#role}`);
    await this.site.stop();
  }

  async #createRole(): Promise<void> {
    await this.#asOwner(`create role ${this.#role} superuser login password '${this.secrets.databasePassword}'`);
  }

  async #asOwner(statement: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.site.databaseUrl });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
}
