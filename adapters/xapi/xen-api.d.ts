/** The part of npm xen-api 4.7.6 that is used here; the package has no declarations of its own. */
declare module 'xen-api' {
  import type { Dispatcher } from 'undici';

  export interface XenApiOptions {
    /** Scheme, host, port; no credentials. */
    readonly url: string;
    readonly auth: { readonly user: string; readonly password: string };
    readonly watchEvents: false;
    readonly transport: 'json-rpc';
    /** Per call; the request itself goes on, its answer is dropped. */
    readonly callTimeout: number;
    /** For getters with at most one parameter, on ECONNRESET only. */
    readonly roCallRetryOptions: { readonly tries: number; readonly delay: number };
  }

  /** What xen-api knows of its address; a new one is taken over when a member names its coordinator. */
  export interface XenApiUrl {
    readonly protocol: string;
    readonly hostname: string;
    readonly port: string | undefined;
  }

  export interface XenApi {
    readonly pool: { readonly uuid: string };
    /** Throws an AssertionError unless connected. */
    readonly sessionId: string;
    connect(): Promise<void>;
    /** Logs out without waiting for the answer. */
    disconnect(): Promise<void>;
    call(method: string, ...params: readonly unknown[]): Promise<unknown>;
    on(event: 'sessionId', listener: (sessionId: string) => void): this;
    /** Private in the package, which has no option for certificates or a connect timeout; see dispatcher.ts. */
    _undiciDispatcher: Dispatcher;
    _url: XenApiUrl;
    _setUrl(url: XenApiUrl): void;
  }

  export function createClient(options: XenApiOptions): XenApi;
}

declare module 'xen-api/_getTaskResult.mjs' {
  /** The result of a succeeded task, parsed from its `<value>…</value>`; undefined while the task is pending. */
  const getTaskResult: (task: { readonly status: string; readonly result: string }) => Promise<unknown> | undefined;
  export = getTaskResult;
}
