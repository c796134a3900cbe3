import type { WorldChange, WorldSnapshot } from '../../../lab/diff.ts';
import { eventually } from '../../support/eventually.ts';
import type { Rig } from './rig.ts';

/** The lab's world and our register of VMs at one moment. */
export interface StateSnapshot {
  readonly world: WorldSnapshot;
  readonly registered: readonly string[];
  /** How many calls the lab had seen. */
  readonly calls: number;
}

export async function snapshotOf(rig: Rig, lane: string): Promise<StateSnapshot> {
  const calls = rig.site.lab.calls().length;
  return { world: rig.site.lab.snapshot(), registered: await registered(rig, lane), calls };
}

/** What has changed in the lane since, by class and name and with the VM called VM, so that two runs can be compared. */
export async function outcomeOf(rig: Rig, before: StateSnapshot, lane: string, name: string): Promise<string[]> {
  await quiet(rig, lane, before.calls);
  const world = rig.site.lab.diff(before.world).filter(({ pool }) => pool === lane);
  const now = await registered(rig, lane);
  const added = now.filter((vm) => !before.registered.includes(vm)).map((vm) => `registered ${vm}`);
  const removed = before.registered.filter((vm) => !now.includes(vm)).map((vm) => `struck off ${vm}`);
  return [...world.map(describeChange), ...added, ...removed].map((line) => line.replaceAll(name, 'VM')).sort();
}

/** Which host XAPI chose depends on who else is there. */
function describeChange({ cls, change, name, fields = {} }: WorldChange): string {
  const changed = Object.keys(fields).sort().join(', ');
  return `${cls} ${/^lane-\w+-h\d$/.test(name) ? 'of some host' : name} ${change} ${changed}`.trimEnd();
}

/** Waits until every call that reached the lane has had its effect, also the late ones. */
async function quiet({ site: { lab } }: Rig, lane: string, since: number): Promise<void> {
  const calls = () => lab.calls({ since, mutating: true });
  await eventually(
    () => Promise.resolve(calls().filter(({ pool, outcome }) => pool === lane && outcome === 'pending')),
    (pending) => pending.length === 0,
    `nothing is under way in ${lane}`,
  );
}

async function registered({ db }: Rig, lane: string): Promise<string[]> {
  const rows = await db.selectFrom('vms').select('name').where('pool', '=', lane).execute();
  return rows.map(({ name }) => name);
}
