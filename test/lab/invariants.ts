import { classModel, classes } from '../../lab/model/model.ts';
import type { RecordValue } from '../../lab/model/types.ts';
import { links, targetsOf } from '../../lab/world/links.ts';
import type { World } from '../../lab/world/world.ts';

const live = ['Running', 'Paused'];

function* memory(world: World): Generator<string> {
  for (const [ref, host] of world.store.records('host')) {
    const resident = host.resident_VMs.map((vm) => world.store.get('VM', vm));
    const usedBytes = resident.reduce((sum, vm) => sum + vm.memory_dynamic_min, host.memory_overhead);
    const { memory_total: totalBytes, memory_free: freeBytes } = world.store.get('host_metrics', host.metrics);
    if (usedBytes > totalBytes) yield `host ${ref} gives away ${usedBytes} of ${totalBytes} bytes`;
    if (freeBytes < 0) yield `host ${ref} has ${freeBytes} bytes free`;
  }
}

function* residence(world: World): Generator<string> {
  const residents = world.store.records('host').flatMap(([, host]) => host.resident_VMs);
  for (const [ref, vm] of world.store.records('VM')) {
    const hosts = residents.filter((resident) => resident === ref).length;
    const wanted = live.includes(vm.power_state) ? 1 : 0;
    if (hosts !== wanted) yield `VM ${ref} is ${vm.power_state} and resident on ${hosts} hosts`;
    if (vm.domid >= 0 !== live.includes(vm.power_state)) yield `VM ${ref} is ${vm.power_state}, domain ${vm.domid}`;
  }
}

function* disks(world: World): Generator<string> {
  for (const [ref, vdi] of world.store.records('VDI')) {
    const writers = vdi.VBDs.map((vbd) => world.store.get('VBD', vbd)).filter(
      (vbd) => vbd.currently_attached && vbd.mode === 'RW',
    );
    if (writers.length > 1 && !vdi.sharable) yield `VDI ${ref} is attached read-write ${writers.length} times`;
  }
  for (const [ref, sr] of world.store.records('SR')) {
    if (sr.physical_utilisation < 0 || sr.physical_utilisation > sr.physical_size)
      yield `SR ${ref} uses ${sr.physical_utilisation} of ${sr.physical_size} bytes`;
  }
}

function* attachments(world: World): Generator<string> {
  for (const cls of ['VBD', 'VIF'] as const) {
    for (const [ref, device] of world.store.records(cls)) {
      const { power_state: state } = world.store.get('VM', device.VM);
      if (device.currently_attached && !live.includes(state)) yield `${cls} ${ref} is attached to a ${state} VM`;
    }
  }
}

function* bothDirections(world: World): Generator<string> {
  for (const { from, field, to, set } of links) {
    if (!classes.has(from) || !classes.has(to)) continue;
    const named = new Map<string, string[]>();
    for (const { ref, record } of world.store.entries(from)) {
      for (const target of new Set(targetsOf(record[field]))) named.set(target, [...(named.get(target) ?? []), ref]);
    }
    for (const { ref, record } of world.store.entries(to)) {
      const [listed, naming] = [(record[set] ?? []) as readonly string[], named.get(ref) ?? []];
      if ([...listed].sort().join() !== naming.sort().join())
        yield `${to} ${ref}: ${set} and ${from}.${field} disagree`;
    }
  }
}

/** An operation that has ended is not shown; this is for a world in which nothing is being done. */
function* quiet(world: World): Generator<string> {
  for (const cls of classes.keys()) {
    if (!classModel(cls).field.has('current_operations')) continue;
    for (const { ref, record } of world.store.entries(cls)) {
      const running = Object.keys(record['current_operations'] as RecordValue);
      if (cls !== 'task' && running.length > 0) yield `${cls} ${ref} still shows ${running.join()}`;
    }
  }
}

/** What must be true of every pool in which nothing is being done; each broken rule in words. */
export const brokenInvariants = (world: World): string[] =>
  [memory, residence, disks, attachments, bothDirections, quiet].flatMap((rule) => [...rule(world)]);
