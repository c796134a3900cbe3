import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

/** Where Temporal is and how to log in there, as `@temporalio/envconfig` read it. */
export type TemporalSettings = ReturnType<typeof loadClientConnectConfig>;

/**
 * Reads TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_TLS_*, TEMPORAL_API_KEY and the optional TOML profile, as every
 * other Temporal tool does. Throws when a value or the file is not usable.
 */
export function loadTemporalSettings(env: Readonly<Record<string, string | undefined>>): TemporalSettings {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
}

/**
 * gRPC waits up to two minutes between its attempts to reconnect; a run that was accepted while Temporal was away
 * has to start as soon as it is back.
 */
const RECONNECT_QUICKLY = {
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

/** About a second of trying again: a connection that was just lost is made anew, a server that is away is known soon. */
const CALL_ATTEMPTS = 4;

/** Connects with the first call, so that the program also comes up while Temporal is away. Close it by `client.connection.close()`. */
export function openTemporal(settings: TemporalSettings): Client {
  const { address, tls, apiKey, metadata } = settings.connectionOptions;
  const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: CALL_ATTEMPTS }))];
  const connection = Connection.lazy({ address, tls, apiKey, metadata, interceptors, channelArgs: RECONNECT_QUICKLY });
  return new Client({ connection, namespace: settings.namespace });
}
