/** Keys in `other_config` that say who made an object. */
const RUN_KEY = 'switchboard:run';
const STEP_KEY = 'switchboard:step';
const VM_KEY = 'switchboard:vm';

type OtherConfig = Readonly<Record<string, string>>;

/** For the creating call of anything but a VM: merge into the record's `other_config`. */
export function tagFor(runId: string, step: string): Record<string, string> {
  return { [RUN_KEY]: runId, [STEP_KEY]: step };
}

/**
 * For a VM, which is tagged after its creation: names the VM itself too, because VM.clone copies the `other_config` of its
 * template and with it, from a template made of a deployed VM, the tag of another run. Write it in one VM.set_other_config
 * together with what is there: a half-written tag is none.
 */
export function tagForVm(runId: string, step: string, vmUuid: string): Record<string, string> {
  return { ...tagFor(runId, step), [VM_KEY]: vmUuid };
}

/** Made by this run, whichever step. */
export function carriesRun(record: { readonly other_config: OtherConfig }, runId: string): boolean {
  return record.other_config[RUN_KEY] === runId;
}

export function carriesTag(record: { readonly other_config: OtherConfig }, runId: string, step: string): boolean {
  return record.other_config[RUN_KEY] === runId && record.other_config[STEP_KEY] === step;
}

/** True only for the VM that the tag was written for, never for a clone of it. */
export function carriesVmTag(
  vm: { readonly uuid: string; readonly other_config: OtherConfig },
  runId: string,
  step: string,
): boolean {
  return carriesTag(vm, runId, step) && vm.other_config[VM_KEY] === vm.uuid;
}

/** For what takes one text only: the name a clone is born with, the description of a task that we make ourselves. */
export function markFor(runId: string, step: string): string {
  return `switchboard ${runId} ${step}`;
}
