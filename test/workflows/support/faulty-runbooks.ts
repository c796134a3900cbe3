import type { DeployVmInput } from '../../../domain/operations.ts';
import { runbook } from '../../../workflows/kit/runbook.ts';
import { slow } from '../../../workflows/kit/steps.ts';

/** Runbooks with mistakes that their author did not see; the name of the VM says which. */
export const deployVm = runbook(async (saga, input: DeployVmInput) => {
  const { pool, name } = input;
  await saga.step('acquireLock', { resource: `pool/${pool}/vm/${name}` });
  const { templateUuid } = await saga.step('placeVm', input);
  const vm = await saga.step('cloneVm', { pool, name, templateUuid }, slow);
  if (name === 'throws') throw new TypeError(`nobody thought of ${name}`);
  saga.commit();
  await saga.step('provisionVm', { vm }, slow);
});
