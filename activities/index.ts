import { createBookkeeping } from './bookkeeping.ts';
import { deliverDo, deliverUndo, nothingToUndo } from './deliver.ts';
import { acquireLock } from './shared/acquire-lock.ts';
import type { Deps, Step } from './step.ts';
import { attachConfigDrive } from './vm/attach-config-drive.ts';
import { cloneVm } from './vm/clone-vm.ts';
import { createDisks } from './vm/create-disks.ts';
import { createInterfaces } from './vm/create-interfaces.ts';
import { destroyDisks } from './vm/destroy-disks.ts';
import { destroyVm } from './vm/destroy-vm.ts';
import { forgetVm } from './vm/forget-vm.ts';
import { identifyVm } from './vm/identify-vm.ts';
import { placeVm } from './vm/place-vm.ts';
import { provisionVm } from './vm/provision-vm.ts';
import { recordVm } from './vm/record-vm.ts';
import { setResources } from './vm/set-resources.ts';
import { shutDownVm } from './vm/shut-down-vm.ts';
import { startVm } from './vm/start-vm.ts';
import { waitForAddress } from './vm/wait-for-address.ts';
import { waitForSsh } from './vm/wait-for-ssh.ts';

/** The list of steps. Nothing else registers activities. */
export const steps = {
  acquireLock,
  placeVm,
  cloneVm,
  provisionVm,
  setResources,
  createDisks,
  createInterfaces,
  attachConfigDrive,
  startVm,
  waitForAddress,
  waitForSsh,
  recordVm,
  identifyVm,
  shutDownVm,
  destroyVm,
  destroyDisks,
  forgetVm,
};

export type Steps = typeof steps;

export type Activities = Record<string, (...args: never[]) => Promise<unknown>>;

/** What a worker registers: every step, its `<step>.undo`, and the bookkeeping. */
export function createActivities(deps: Deps): Activities {
  const all: [string, Step<never, unknown>][] = Object.entries(steps);
  const delivered = all.flatMap(([name, step]) => {
    return [
      [name, deliverDo(deps, step)],
      [`${name}.undo`, typeof step.undo === 'function' ? deliverUndo(deps, name, step.undo) : nothingToUndo(step.undo)],
    ];
  });
  return { ...(Object.fromEntries(delivered) as Activities), ...createBookkeeping(deps) };
}
