import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ProxiedConnection } from './tcp-proxy-connection.ts';
import { PlannedFaults, type FaultHandle, type TcpFault } from './tcp-proxy-faults.ts';

export interface TcpProxyOptions {
  readonly targetHost: string;
  readonly targetPort: number;
  readonly listenHost?: string;
  /** 0, the default: a free port below the range from which the kernel takes the ports of outgoing connections. */
  readonly listenPort?: number;
}

/** Stands between a client and a TCP server, and fails as planned. Without a plan it only passes on. */
export interface TcpProxy {
  readonly port: number;
  /** Plans a fault; the handle counts how often it happened. Of several plans for the same bytes the oldest that is due acts, alone. */
  plan(fault: TcpFault): FaultHandle;
  /** Resets every open connection, on both sides, and goes on listening. */
  cutAll(): void;
  /** As if the server were dead: resets every connection and refuses new ones until `up`. */
  down(): Promise<void>;
  /** Listens again, on the same port. */
  up(): Promise<void>;
  /** Ends everything; resolves when no socket is left. */
  close(): Promise<void>;
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const { listenHost = '127.0.0.1', listenPort = 0 } = options;
  const proxy = new Proxy(options, listenHost);
  await (listenPort === 0 ? proxy.listenOnFreePort() : proxy.listenOn(listenPort));
  return proxy;
}

/**
 * A port of the kernel's own choice could be taken by some outgoing connection while the proxy is down; and a client that tries such a
 * port long enough connects to itself. Linux takes outgoing ports from 32768 up, others from 49152.
 */
const lowestFreePort = 15_000;
const highestFreePort = 32_000;
const portsTriedAtMost = 100;

/** Not by `instanceof Error`: an error of Node itself is of another realm when the lab runs inside a VM context. */
function isPortTaken(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EADDRINUSE';
}

class Proxy implements TcpProxy {
  readonly #options: TcpProxyOptions;
  readonly #listenHost: string;
  readonly #faults = new PlannedFaults();
  readonly #connections = new Set<ProxiedConnection>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: TcpProxyOptions, listenHost: string) {
    this.#options = options;
    this.#listenHost = listenHost;
  }

  get port(): number {
    return this.#port;
  }

  plan(fault: TcpFault): FaultHandle {
    return this.#faults.add(fault);
  }

  cutAll(): void {
    for (const connection of this.#connections) connection.cut();
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    this.cutAll();
    await closed;
  }

  async up(): Promise<void> {
    if (!this.#server) await this.listenOn(this.#port);
  }

  async close(): Promise<void> {
    await this.down();
    await Promise.all([...this.#connections].map((connection) => connection.ended));
  }

  async listenOnFreePort(): Promise<void> {
    for (let tried = 1; ; tried += 1) {
      try {
        await this.listenOn(randomInt(lowestFreePort, highestFreePort));
        return;
      } catch (error) {
        if (!isPortTaken(error) || tried === portsTriedAtMost) throw error;
      }
    }
  }

  async listenOn(port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    server.listen({ host: this.#listenHost, port, exclusive: true });
    await once(server, 'listening');
    this.#server = server;
    this.#port = port;
  }

  #accept(client: Socket): void {
    if (this.#faults.refusesConnection()) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({
      host: this.#options.targetHost,
      port: this.#options.targetPort,
      allowHalfOpen: true,
    });
    const connection = new ProxiedConnection(client, server, (chunk) => this.#faults.nextFor(chunk));
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
  }
}
