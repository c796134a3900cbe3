/** What the worker's bundle registers: one exported function per operation of the catalogue. */
export { deleteVm } from './delete-vm.ts';
export { deployVm } from './deploy-vm.ts';
