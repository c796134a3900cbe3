import { parse, stringify } from 'yaml';
import type { HostKey } from '../ssh/host-key.ts';

export interface CloudInitRequest {
  /** cloud-init runs its once-per-instance parts again when this changes: the uuid of the VM. */
  readonly instanceId: string;
  readonly hostname: string;
  readonly hostKey: Pick<HostKey, 'privateKey' | 'publicKey'>;
  readonly sshAuthorizedKeys: readonly string[];
  /** The operator's own `#cloud-config`; a YAML mapping, which the catalogue has checked. */
  readonly userData?: string;
}

export interface CloudInit {
  readonly metaData: string;
  /** Holds the private host key: a secret. */
  readonly userData: string;
}

/**
 * The two NoCloud documents. What the operator wrote is kept; our host key and host name win over theirs, because the run checks
 * both afterwards, and authorised keys of both are kept.
 */
export function renderCloudInit(request: CloudInitRequest): CloudInit {
  const theirs = mappingOf(request.userData);
  const config = {
    ...theirs,
    hostname: request.hostname,
    preserve_hostname: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: request.hostKey.privateKey, ed25519_public: request.hostKey.publicKey },
    ssh_authorized_keys: distinct([...listOf(theirs['ssh_authorized_keys']), ...request.sshAuthorizedKeys]),
  };
  return {
    metaData: stringify({ 'instance-id': request.instanceId, 'local-hostname': request.hostname }),
    userData: `#cloud-config\n${stringify(config, { lineWidth: 0 })}`,
  };
}

/** The parser's warnings show the line that they are about on stderr, and its secrets with it. */
const QUIETLY = { logLevel: 'error', prettyErrors: false } as const;

function mappingOf(userData: string | undefined): Record<string, unknown> {
  const parsed: unknown = userData === undefined ? null : parse(userData, QUIETLY);
  if (parsed === null) return {};
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new TypeError('user data is not a YAML mapping');
  return Object.fromEntries(Object.entries(parsed));
}

function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

function distinct(values: readonly unknown[]): unknown[] {
  return [...new Set(values)];
}
