import type { Handlers } from '../dispatch/call.ts';
import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';
import { internalError } from '../xapi-error.ts';
import { freeMemoryBytes } from './memory.ts';
import { statesFor } from './vm-states.ts';
import { vmOperation } from './vm-support.ts';

type Source = Records['data_source'];

const bytesPerKib = 1024;

const source = (name: string, description: string, units: string, value: number, max = 1e12): Source => ({
  name_label: name,
  name_description: description,
  enabled: true,
  standard: true,
  units,
  min: 0,
  max,
  value,
});

const cpu = (number: number): Source => source(`cpu${number}`, `CPU${number} usage`, '(fraction)', 0, 1);
const traffic = (prefix: string, [to, from]: readonly [string, string]): Source[] => [
  source(`${prefix}_${to}`, `Bytes per second: ${to}`, 'B/s', 0),
  source(`${prefix}_${from}`, `Bytes per second: ${from}`, 'B/s', 0),
];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

function ofVm(world: World, vm: string): Source[] {
  const { VCPUs_at_startup: vcpus, VIFs: vifs, VBDs: vbds, memory_target: memoryBytes } = world.store.get('VM', vm);
  return [
    source('memory', 'Memory currently allocated to VM', 'B', memoryBytes),
    source('memory_target', 'Target of VM balloon driver', 'B', memoryBytes),
    ...numbers(vcpus).map(cpu),
    ...vifs.flatMap((ref) => traffic(`vif_${world.store.get('VIF', ref).device}`, ['rx', 'tx'])),
    ...vbds
      .map((ref) => world.store.get('VBD', ref))
      .filter(({ currently_attached: attached }) => attached)
      .flatMap(({ device }) => traffic(`vbd_${device}`, ['read', 'write'])),
  ];
}

function ofHost(world: World, host: string): Source[] {
  const { host_CPUs: cpus, PIFs: pifs, metrics } = world.store.get('host', host);
  const { memory_total: totalBytes } = world.store.get('host_metrics', metrics);
  return [
    source('memory_total_kib', 'Total amount of memory in use', 'KiB', totalBytes / bytesPerKib),
    source('memory_free_kib', 'Total amount of free memory', 'KiB', freeMemoryBytes(world, host) / bytesPerKib),
    source('loadavg', 'Domain0 loadavg', '(fraction)', 0),
    source('cpu_avg', 'Average physical CPU usage', '(fraction)', 0, 1),
    ...numbers(cpus.length).map(cpu),
    ...pifs.flatMap((ref) => traffic(`pif_${world.store.get('PIF', ref).device}`, ['rx', 'tx'])),
  ];
}

function ofSr(world: World, sr: string): Source[] {
  const { physical_size: sizeBytes, physical_utilisation: usedBytes } = world.store.get('SR', sr);
  return [
    source('physical_size', 'Size of the storage', 'B', sizeBytes),
    source('physical_utilisation', 'Used space of the storage', 'B', usedBytes),
  ];
}

/** The source's value. Throws INTERNAL_ERROR for one that is not there. */
function valueOf(sources: readonly Source[], name: string): number {
  const found = sources.find(({ name_label: label }) => label === name);
  if (found === undefined) throw internalError('Not_found');
  return found.value;
}

/** What is recorded always cannot be recorded more; an archive of a lab that is measured by nobody is empty. */
const assertThere = (sources: readonly Source[], name: string): void => void valueOf(sources, name);

/** What can be measured of VMs, hosts and storage, with its value of this moment. */
export const dataSources: Handlers = {
  'VM.get_data_sources': (call, vm) =>
    vmOperation(call, vm, 'data_source_op', statesFor('data_source_op'), () => ofVm(call.world, vm)),
  'VM.query_data_source': (call, vm, name) =>
    vmOperation(call, vm, 'data_source_op', statesFor('data_source_op'), () => valueOf(ofVm(call.world, vm), name)),
  'VM.record_data_source': (call, vm, name) =>
    vmOperation(call, vm, 'data_source_op', statesFor('data_source_op'), () => assertThere(ofVm(call.world, vm), name)),
  'VM.forget_data_source_archives': (call, vm, name) =>
    vmOperation(call, vm, 'data_source_op', statesFor('data_source_op'), () => assertThere(ofVm(call.world, vm), name)),
  'host.get_data_sources': ({ world }, host) => ofHost(world, host),
  'host.query_data_source': ({ world }, host, name) => valueOf(ofHost(world, host), name),
  'host.record_data_source': ({ world }, host, name) => assertThere(ofHost(world, host), name),
  'host.forget_data_source_archives': ({ world }, host, name) => assertThere(ofHost(world, host), name),
  'SR.get_data_sources': ({ world }, sr) => ofSr(world, sr),
  'SR.query_data_source': ({ world }, sr, name) => valueOf(ofSr(world, sr), name),
  'SR.record_data_source': ({ world }, sr, name) => assertThere(ofSr(world, sr), name),
  'SR.forget_data_source_archives': ({ world }, sr, name) => assertThere(ofSr(world, sr), name),
};
