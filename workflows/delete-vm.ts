import type { DeleteVmInput, DeleteVmResult } from '../domain/operations.ts';
import { runbook } from './kit/runbook.ts';
import { slow, waiting } from './kit/steps.ts';

/** Shuts a VM down and removes it with the disks that only it uses. */
export const deleteVm = runbook(async (saga, input: DeleteVmInput): Promise<DeleteVmResult> => {
  await saga.step('acquireLock', { resource: `pool/${input.pool}/vm/${input.name}` });
  const { vm, disks } = await saga.step('identifyVm', input);
  await saga.step(
    'shutDownVm',
    { vm, timeoutSeconds: input.shutdownTimeoutSeconds },
    waiting(input.shutdownTimeoutSeconds),
  );

  saga.commit();
  await saga.finish('destroyVm', { vm, disks }, slow);
  await saga.finish('destroyDisks', { vm, disks }, slow);
  await saga.finish('forgetVm', { vm });
  return { uuid: vm.uuid, disksRemoved: disks.length };
});
