import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from 'undici';
import { createClient, type XenApi } from 'xen-api';
import { OperationFailure } from '../../domain/errors.ts';
import { createDispatcher, type Timeouts } from './dispatcher.ts';
import { codeOf, isTimeout, nativeErrorOf, toFailure } from './to-failure.ts';
import type { PoolSettings } from './xapi.ts';

/** So many of the latest session references are kept out of every text. */
const MASKED_SESSIONS = 20;

/** With these the call was refused before it was looked at, or never left this process: repeating it is safe. */
const NEVER_EXECUTED = new Set([
  'HOST_IS_SLAVE',
  'SESSION_INVALID',
  // xen-api has no session while it renews one, and asserts that it has.
  'ERR_ASSERTION',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * The one connection to a pool: logged in at the first use, shared by every call, made anew when the coordinator moves, restarts or
 * is silent. A connection that is given up is not logged out, because other calls may still run on its session; XAPI expires it.
 */
export class PoolConnection {
  readonly dispatcher: Agent;
  readonly #settings: PoolSettings;
  readonly #timeouts: Timeouts;
  #connecting: Promise<XenApi> | undefined;
  #client: XenApi | undefined;
  /** The address that was the coordinator's last time. */
  #coordinator: string | undefined;
  #poolUuid: string | undefined;
  #sessions: string[] = [];
  #closed = false;

  constructor(settings: PoolSettings, timeouts: Timeouts) {
    this.#settings = settings;
    this.#timeouts = timeouts;
    this.dispatcher = createDispatcher(settings.tls, timeouts);
  }

  /** Runs `work` on a logged-in client; once more on a new one if the first try never reached execution. */
  async use<T>(work: (client: XenApi) => Promise<T>): Promise<T> {
    const client = await this.#connected();
    try {
      return await work(client);
    } catch (error) {
      this.#giveUpAfter(error, client);
      if (!NEVER_EXECUTED.has(codeOf(error) ?? '')) throw error;
    }
    return work(await this.#connected());
  }

  /** For XAPI's own HTTP handlers: where the coordinator is, and the session as it is now. A secret. */
  session(): Promise<{ readonly origin: string; readonly sessionId: string }> {
    return this.use((client) =>
      Promise.resolve({ origin: this.#origin(client._url.hostname), sessionId: client.sessionId }),
    );
  }

  readonly mask = (text: string): string => {
    const { password } = this.#settings;
    const secrets = password === '' ? this.#sessions : [password, ...this.#sessions];
    return secrets.reduce((masked, secret) => masked.replaceAll(secret, '(masked)'), text);
  };

  async close(): Promise<void> {
    this.#closed = true;
    await this.#connecting?.catch(() => undefined);
    await this.#client?.disconnect();
    // A host that hangs must not hold up the end of the process.
    await Promise.race([this.dispatcher.close(), sleep(this.#timeouts.connectTimeoutMs, undefined, { ref: false })]);
    await this.dispatcher.destroy();
  }

  #giveUpAfter(error: unknown, client: XenApi): void {
    const code = codeOf(error) ?? '';
    const useless = NEVER_EXECUTED.has(code) || isTimeout(error) || code === 'UND_ERR_HEADERS_TIMEOUT';
    if (!useless || this.#client !== client) return;
    if (code === 'HOST_IS_SLAVE') this.#coordinator = nativeErrorOf(error)?.params[0];
    this.#client = undefined;
    this.#connecting = undefined;
  }

  #connected(): Promise<XenApi> {
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  /** Tries the last coordinator, then every address; each member leads on to its coordinator. */
  async #connect(): Promise<XenApi> {
    const tried: string[] = [];
    let certificateRefused = false;
    for (const address of new Set([this.#coordinator ?? [], this.#settings.addresses].flat())) {
      try {
        this.#client = await this.#logIn(address);
        return this.#client;
      } catch (error) {
        const failure = this.#loginFailure(error);
        // A second try elsewhere with the same wrong password would only bring the account closer to being locked.
        if (failure.code === 'POOL_CREDENTIALS_REFUSED') throw failure;
        certificateRefused ||= failure.code === 'POOL_CERTIFICATE_REFUSED';
        tried.push(`${address}: ${failure.details.native?.code}: ${failure.details.native?.params.join(', ')}`);
      }
    }
    throw this.#unreachable(tried, certificateRefused);
  }

  async #logIn(address: string): Promise<XenApi> {
    if (this.#closed) throw new Error(`the connection to pool ${this.#settings.id} is closed`);
    const client = this.#newClient(address);
    await client.connect();
    this.#poolUuid ??= client.pool.uuid;
    if (client.pool.uuid !== this.#poolUuid) {
      // An ejected host is a pool of its own and still has the old password.
      await client.disconnect();
      throw new ForeignPool(
        `belongs to pool ${client.pool.uuid}, not ${this.#poolUuid}: take it out of the configuration`,
      );
    }
    this.#coordinator = client._url.hostname;
    return client;
  }

  #newClient(address: string): XenApi {
    const { user, password } = this.#settings;
    const client = createClient({
      url: this.#origin(address),
      auth: { user, password },
      watchEvents: false,
      // Its fallback, XML-RPC, answers integers as text.
      transport: 'json-rpc',
      callTimeout: this.#timeouts.callTimeoutMs,
      roCallRetryOptions: { tries: 2, delay: 200 },
    });
    client._undiciDispatcher = this.dispatcher;
    client._setUrl(client._url);
    client.on('sessionId', (session) => {
      this.#sessions = [session, ...this.#sessions].slice(0, MASKED_SESSIONS);
    });
    return client;
  }

  #origin(address: string): string {
    const { port, tls } = this.#settings;
    return `${tls.mode === 'none' ? 'http' : 'https'}://${isIPv6(address) ? `[${address}]` : address}:${port}`;
  }

  #loginFailure(error: unknown): OperationFailure {
    const { id: poolId, user } = this.#settings;
    return toFailure(error, {
      method: 'session.login_with_password',
      poolId,
      object: `account ${user}`,
      mask: this.mask,
    });
  }

  /** A refused certificate does not heal by itself: it is told as such, even when other addresses are only silent. */
  #unreachable(tried: readonly string[], certificateRefused: boolean): OperationFailure {
    const { id } = this.#settings;
    const message = `Pool ${id} cannot be reached on any of its addresses (${tried.join('; ')}). Nothing was sent to it.`;
    return new OperationFailure(certificateRefused ? 'POOL_CERTIFICATE_REFUSED' : 'POOL_UNREACHABLE', message, {
      object: `pool ${id}`,
    });
  }
}

class ForeignPool extends Error {
  override readonly name = 'ForeignPool';
  readonly code = 'FOREIGN_POOL';
}
