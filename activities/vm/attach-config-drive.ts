import type { HostKey } from '../../adapters/ssh/host-key.ts';
import type { Ref } from '../../adapters/xapi/ref.ts';
import type { Xapi } from '../../adapters/xapi/xapi.ts';
import { markFor } from '../../domain/tag.ts';
import type { VmIdentity } from '../../domain/vm.ts';
import { createOnce } from '../support/create-once.ts';
import { findVm } from '../support/objects.ts';
import { attachDisk, findTaggedDisk, freeDevices, newDisk, removeTaggedDisks } from '../support/tagged-disks.ts';
import { step } from '../step.ts';
import type { StepContext } from '../step.ts';

interface AttachConfigDrive {
  readonly vm: VmIdentity;
  readonly srUuid: string;
  readonly sshAuthorizedKeys: readonly string[];
}

interface ConfigDrive {
  readonly hostPublicKey: string;
  readonly hostKeyFingerprint: string;
}

const HOST_KEY = 'hostKey';
const USER_DATA = 'userData';
const DRIVE_KEY = 'config-drive';

/**
 * Makes an SSH host key for this VM alone and hands it over, with the user data, on a drive that cloud-init reads at the
 * first boot: so its identity is known before the first connection.
 * Repeating it is safe: the key is made once and kept with the run's secrets, the drive's content follows from it, the
 * disk carries our tag, and importing the same content again changes nothing.
 * Undo ends what is left of an upload, then detaches and destroys the drive.
 */
export const attachConfigDrive = step<AttachConfigDrive, ConfigDrive>({
  name: 'attachConfigDrive',
  find: () => Promise.resolve(undefined),
  async do(ctx, { vm, srUuid, sshAuthorizedKeys }) {
    const xapi = ctx.pools.get(vm.pool);
    const hostKey = await hostKeyOf(ctx);
    const content = await driveContent(ctx, vm, hostKey, sshAuthorizedKeys);
    const vdi = await createDrive(ctx, xapi, vm, srUuid, content.length);
    await importContent(ctx, xapi, vdi, content);
    const vmRef = await xapi.refOf('VM', vm.uuid);
    // The last device leaves the low ones to the disks that people count.
    await attachDisk(ctx, xapi, vmRef, vdi, (await freeDevices(ctx, xapi, vmRef)).at(-1));
    return { hostPublicKey: hostKey.publicKey, hostKeyFingerprint: hostKey.fingerprint };
  },
  async undo(ctx, { vm }) {
    const xapi = ctx.pools.get(vm.pool);
    await xapi.dropImports(markOf(ctx));
    await removeTaggedDisks(ctx, xapi, await findVm(xapi, vm.uuid), [nameOf(vm)]);
  },
});

/** The first delivery's key stays, whichever delivery asks. */
async function hostKeyOf(ctx: StepContext): Promise<HostKey> {
  const known = await ctx.vault.find(ctx.db, ctx.runId, HOST_KEY);
  if (known !== undefined) return JSON.parse(known) as HostKey;
  await ctx.vault.put(ctx.db, ctx.runId, HOST_KEY, JSON.stringify(ctx.generateHostKey()));
  return hostKeyOf(ctx);
}

async function driveContent(
  ctx: StepContext,
  vm: VmIdentity,
  hostKey: HostKey,
  sshAuthorizedKeys: readonly string[],
): Promise<Buffer> {
  const userData = await ctx.vault.find(ctx.db, ctx.runId, USER_DATA);
  const documents = ctx.renderCloudInit({
    instanceId: vm.uuid,
    hostname: vm.name,
    hostKey,
    sshAuthorizedKeys,
    userData,
  });
  return ctx.buildConfigDrive(documents);
}

async function createDrive(
  ctx: StepContext,
  xapi: Xapi,
  vm: VmIdentity,
  srUuid: string,
  sizeBytes: number,
): Promise<Ref<'VDI'>> {
  const name = nameOf(vm);
  await ctx.owe([{ kind: 'VDI', id: `${ctx.step}/${DRIVE_KEY}`, name, duty: 'remove' }]);
  const sr = await xapi.refOf('SR', srUuid);
  const spec = newDisk(ctx, { name, sr, sizeBytes, key: DRIVE_KEY });
  return createOnce(ctx, xapi, 'create', () => findTaggedDisk(ctx, xapi, name, DRIVE_KEY), 'VDI.create', spec);
}

/** A worker may have died after the upload's task was made and before it was remembered. */
async function importContent(ctx: StepContext, xapi: Xapi, vdi: Ref<'VDI'>, content: Buffer): Promise<void> {
  const memory = ctx.memory('import');
  if (ctx.redelivered && memory.taskRef === undefined) await xapi.dropImports(markOf(ctx));
  await xapi.importRawVdi(memory, markOf(ctx), vdi, content);
}

function markOf(ctx: StepContext): string {
  return markFor(ctx.runId, ctx.step);
}

function nameOf(vm: VmIdentity): string {
  return `${vm.name} ${DRIVE_KEY}`;
}
