import type { DeployVmInput, DeployVmResult } from '../domain/operations.ts';
import { runbook } from './kit/runbook.ts';
import { slow, waiting } from './kit/steps.ts';

/** From a template to a VM that answers SSH with the key made for it; nothing is left behind when it fails. */
export const deployVm = runbook(async (saga, input: DeployVmInput): Promise<DeployVmResult> => {
  const { pool, name } = input;

  await saga.step('acquireLock', { resource: `pool/${pool}/vm/${name}` });
  const placement = await saga.step('placeVm', input);

  const vm = await saga.step('cloneVm', { pool, name, templateUuid: placement.templateUuid }, slow);
  await saga.step('provisionVm', { vm }, slow);
  await saga.step('setResources', { vm, vcpus: input.vcpus, memoryMiB: input.memoryMiB });
  await saga.step('createDisks', { vm, disks: placement.disks }, slow);
  await saga.step('createInterfaces', { vm, networkUuids: placement.networkUuids });
  const { hostPublicKey, hostKeyFingerprint } = await saga.step(
    'attachConfigDrive',
    { vm, srUuid: placement.bootSrUuid, sshAuthorizedKeys: input.sshAuthorizedKeys },
    slow,
  );

  const { host } = await saga.step('startVm', { vm, demand: placement.demand }, slow);
  const { address } = await saga.step(
    'waitForAddress',
    { vm, timeoutSeconds: input.addressTimeoutSeconds },
    waiting(input.addressTimeoutSeconds),
  );
  const { sshPort } = await saga.step(
    'waitForSsh',
    { vm, address, hostPublicKey, timeoutSeconds: input.sshTimeoutSeconds },
    waiting(input.sshTimeoutSeconds),
  );

  await saga.step('recordVm', { vm, address, sshPort, hostPublicKey });
  saga.commit();
  return { uuid: vm.uuid, address, sshPort, hostPublicKey, hostKeyFingerprint, host };
});
