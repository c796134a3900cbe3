import type { Records } from '../model/records.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';

type Lists = Pick<Records['host'], 'pending_guidances' | 'pending_guidances_recommended' | 'pending_guidances_full'>;

const lists = ['pending_guidances', 'pending_guidances_recommended', 'pending_guidances_full'] as const;

/** What a VM has pending once it is started anew, and a host once it is booted: nothing. */
export const noGuidances: Lists = {
  pending_guidances: [],
  pending_guidances_recommended: [],
  pending_guidances_full: [],
};

export type GuidanceList = (typeof lists)[number];

export function addGuidances(
  world: World,
  cls: 'host' | 'VM',
  ref: string,
  list: GuidanceList,
  coming: readonly string[],
): void {
  const { [list]: pending } = world.store.get(cls, ref);
  const added = coming.filter((guidance) => !pending.includes(guidance));
  world.store.update(cls, ref, { [list]: [...pending, ...added] });
}

/** A host that must do something first takes no VMs again. Throws HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY. */
export function assertNoMandatoryGuidance(world: World, host: string): void {
  if (world.store.get('host', host).pending_guidances.length === 0) return;
  throw new XapiError('HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY', host);
}

/** What was done needs not be done any more, whichever list asked for it. */
export function removeGuidance(world: World, cls: 'host' | 'VM', ref: string, done: string): void {
  const record = world.store.get(cls, ref);
  const left = lists.map((list) => [list, record[list].filter((guidance) => guidance !== done)]);
  world.store.update(cls, ref, Object.fromEntries(left) as Partial<Records['VM']>);
}

/** When what was installed on a host is what runs there. */
export type Activation = 'now' | 'toolstack' | 'reboot';

const stagedNote = (hostUuid: string) => `staged-software/${hostUuid}`;

interface Staged {
  readonly at: Activation;
  readonly software: Readonly<Record<string, string>>;
}

function readStaged(world: World, host: string): readonly Staged[] {
  const text = world.note(stagedNote(world.store.get('host', host).uuid));
  return text === undefined ? [] : (JSON.parse(text) as readonly Staged[]);
}

function activate(world: World, host: string, software: Readonly<Record<string, string>>): void {
  const { software_version: before } = world.store.get('host', host);
  world.store.update('host', host, { software_version: { ...before, ...software } });
}

/** Keys of software_version that are installed now, and shown once they run. */
export function installSoftware(world: World, host: string, staged: Staged): void {
  if (Object.keys(staged.software).length === 0) return;
  if (staged.at === 'now') return activate(world, host, staged.software);
  const { uuid } = world.store.get('host', host);
  world.setNote(stagedNote(uuid), JSON.stringify([...readStaged(world, host), staged]));
}

const isDue = ({ at }: Staged, booted: boolean): boolean => booted || at === 'toolstack';

/** What runs on a host whose toolstack starts now, whatever its record still says. */
export const softwareAtStart = (world: World, host: string, booted: boolean): Readonly<Record<string, string>> =>
  Object.assign(
    {},
    world.store.get('host', host).software_version,
    ...readStaged(world, host)
      .filter((staged) => isDue(staged, booted))
      .map(({ software }) => software),
  ) as Readonly<Record<string, string>>;

/**
 * A host's toolstack has started, after a boot of the host or alone: what waited for that runs now and is no longer pending.
 * Whoever starts hosts calls this.
 */
export function afterHostStart(world: World, host: string, booted: boolean): void {
  const left = readStaged(world, host).filter((staged) => !isDue(staged, booted));
  activate(world, host, softwareAtStart(world, host, booted));
  world.setNote(stagedNote(world.store.get('host', host).uuid), left.length === 0 ? null : JSON.stringify(left));
  if (booted) world.store.update('host', host, { ...noGuidances, updates_requiring_reboot: [] });
  else removeGuidance(world, 'host', host, 'restart_toolstack');
}
