import { z } from 'zod';
import { parseDocument, isMap } from 'yaml';
import type { Permission } from './permissions.ts';
import { VM_NAME_PATTERN } from './vm.ts';

/** Pools are registered by id in the configuration; the API and the workflows see the id only. */
const poolId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a pool id: lower-case letters, digits and dashes')
  .meta({ description: 'Id of a registered pool', example: 'ams1' });

const vmName = z
  .string()
  .regex(VM_NAME_PATTERN, 'a host name label: 1-63 lower-case letters, digits and dashes, no dash at either end')
  .meta({ description: 'Name of the VM, also its host name', example: 'web-01' });

/** XAPI takes any name; control characters and endless names are refused before they reach it. */
const objectName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\p{Cc}]+$/u, 'no control characters');

/** Broken user data would only show as a VM that never answers; it is judged here, where its sender still listens. */
function isYamlMapping(text: string): boolean {
  const document = parseDocument(text);
  if (document.errors.length > 0) return false;
  if (document.contents !== null && !isMap(document.contents)) return false;
  try {
    document.toJS();
    return true;
  } catch {
    return false; // an alias without its anchor, or too many of them
  }
}

/** Part of a workflow id, which Temporal's SQL stores keep in 255 characters. */
const MAX_NAME_BYTES = 180;
const existingName = objectName.refine(
  (name) => new TextEncoder().encode(name).length <= MAX_NAME_BYTES,
  `at most ${MAX_NAME_BYTES} bytes in UTF-8; rename the object first`,
);

const disk = z.strictObject({
  name: objectName.meta({ description: 'Name of the disk', example: 'data' }),
  sizeGiB: z.int().min(1).max(2047).meta({ description: 'Size in GiB (2 TiB is the limit of VHD)', example: 20 }),
  sr: objectName.optional().meta({
    description: 'Storage repository by name or uuid; without it the one of the boot disk',
    example: 'shared',
  }),
});

const deployVmInput = z
  .strictObject({
    pool: poolId,
    name: vmName,
    template: objectName.meta({ description: 'Template by name or uuid', example: 'debian-12' }),
    vcpus: z.int().min(1).max(64).default(1).meta({ description: 'Virtual CPUs', example: 2 }),
    memoryMiB: z.int().min(128).max(1_572_864).default(1024).meta({ description: 'Memory in MiB', example: 2048 }),
    networks: z
      .array(objectName)
      .min(1)
      .max(7)
      .meta({ description: 'Networks by name or uuid, one interface each, in this order', example: ['tenant'] }),
    disks: z.array(disk).max(12).default([]).meta({ description: 'Disks beside the one of the template' }),
    sshAuthorizedKeys: z
      .array(
        z
          .string()
          .max(8192)
          .regex(/^(ssh|ecdsa|sk)-\S+ \S+( [^\n]*)?$/, 'a public key in OpenSSH form, one line'),
      )
      .max(20)
      .default([])
      .meta({ description: 'Public keys that may log in' }),
    userData: z
      .string()
      .max(65_536)
      .startsWith('#cloud-config\n', 'cloud-init user data that starts with the line #cloud-config')
      .refine(isYamlMapping, 'a YAML mapping')
      .optional()
      .meta({ description: 'More cloud-init user data; kept as a secret of the run, never shown again' }),
    addressTimeoutSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(600)
      .meta({ description: 'How long the guest may take to report an address' }),
    sshTimeoutSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .meta({ description: 'How long SSH may take to answer after that' }),
  })
  .meta({ id: 'DeployVmInput' });

const deleteVmInput = z
  .strictObject({
    pool: poolId,
    name: existingName.meta({ description: 'Name of the VM', example: 'web-01' }),
    // XAPI's uuids are random in all bits: not what RFC 9562 calls a UUID.
    uuid: z.guid().optional().meta({ description: 'Its uuid; needed only when several VMs share the name' }),
    shutdownTimeoutSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .meta({ description: 'How long the guest may take to shut down before it is switched off' }),
  })
  .meta({ id: 'DeleteVmInput' });

/** What the workflow gets instead of the fields marked `secret`: the id of the row that holds them. */
interface WithSecrets {
  readonly secretsId?: string;
}

export type DeployVmInput = Omit<z.output<typeof deployVmInput>, 'userData'> & WithSecrets;
export type DeleteVmInput = z.output<typeof deleteVmInput>;

export interface DeployVmResult {
  readonly uuid: string;
  readonly address: string;
  readonly sshPort: number;
  /** In OpenSSH form, for known_hosts: the key that was made for this VM and verified. */
  readonly hostPublicKey: string;
  readonly hostKeyFingerprint: string;
  /** Name of the host it was started on. */
  readonly host: string;
}

export interface DeleteVmResult {
  readonly uuid: string;
  readonly disksRemoved: number;
}

export interface Operation<Name extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  /** CLI verb, `operation` in the API, workflow file and Temporal workflow type (in camel case). */
  readonly name: Name;
  readonly title: string;
  readonly input: Schema;
  readonly permission: Exclude<Permission, 'read'>;
  /** The workflow type: the exported function of the runbook. */
  readonly workflow: string;
  /**
   * The object that only one run may work on; also what the lock is called.
   * For an operation on something that exists already it is the Temporal workflow id too, so that a second start is refused.
   */
  resource(this: void, input: z.output<Schema>): string;
  readonly creates: boolean;
  /** One line for lists and the Temporal UI. */
  summary(this: void, input: z.output<Schema>): string;
  /** Input fields that go into the secrets table instead of the run. */
  readonly secretFields: readonly string[];
}

function operation<Name extends string, Schema extends z.ZodObject>(row: Operation<Name, Schema>) {
  return row;
}

/** THE CATALOGUE. Route, CLI verb, permission, lock and docs come from the row. */
export const OPERATIONS = [
  operation({
    name: 'deploy-vm',
    title: 'Deploy a VM',
    input: deployVmInput,
    permission: 'run',
    workflow: 'deployVm',
    resource: (input) => `pool/${input.pool}/vm/${input.name}`,
    creates: true,
    summary: (input) => `Deploy VM ${input.name} on pool ${input.pool} from template ${input.template}`,
    secretFields: ['userData'],
  }),
  operation({
    name: 'delete-vm',
    title: 'Delete a VM with its disks',
    input: deleteVmInput,
    permission: 'run-destructive',
    workflow: 'deleteVm',
    resource: (input) => `pool/${input.pool}/vm/${input.name}`,
    creates: false,
    summary: (input) => `Delete VM ${input.name} on pool ${input.pool}`,
    secretFields: [],
  }),
] as const;

export type OperationName = (typeof OPERATIONS)[number]['name'];

/** Looks a row up by its name; undefined when the catalogue has no such operation. */
export function findOperation(name: string): Operation | undefined {
  const rows: readonly Operation[] = OPERATIONS;
  return rows.find((row) => row.name === name);
}

/** `operation/resource` for what exists (a second start is refused with its owner), `operation/<run id>` for creations. */
export function workflowIdFor(row: Operation, runId: string, input: Record<string, unknown>): string {
  return row.creates ? `${row.name}/${runId}` : `${row.name}/${row.resource(input)}`;
}
