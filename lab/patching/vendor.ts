import { createHash } from 'node:crypto';
import type { Offer } from './catalogue.ts';
import type { GuidanceList } from './guidances.ts';
import type { UpdateInfo } from './update-info.ts';

/** A live patch of a component, as an update of the repository brings it. */
export interface LivePatch {
  readonly component: 'xen' | 'kernel';
  readonly baseBuildId: string;
  readonly base: string;
  readonly to: string;
}

export type GuidanceKind = 'mandatory' | 'recommended' | 'full';
/** As /updates names them: RebootHost, RestartToolstack, EvacuateHost, RestartDeviceModel, RestartVM. */
export type Guidances = Readonly<Record<GuidanceKind, readonly string[]>>;

/** The list of a record that a kind of guidance lands in. */
export const listOf: Readonly<Record<GuidanceKind, GuidanceList>> = {
  mandatory: 'pending_guidances',
  recommended: 'pending_guidances_recommended',
  full: 'pending_guidances_full',
};

/** An update of the vendor's repository (XenServer 8.4 and later). */
export interface CdnUpdate {
  readonly id: string;
  readonly summary: string;
  readonly type: 'security' | 'bugfix' | 'enhancement';
  readonly packages: readonly string[];
  readonly guidance: Guidances;
  readonly livepatches?: readonly LivePatch[];
  readonly software?: Readonly<Record<string, string>>;
}

/** A package of XCP-ng's repositories, as `updater.py check_update` lists it; `size` is bytes. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly description: string;
  readonly changelog: { readonly date: number; readonly author: string; readonly description: string } | null;
  readonly url: string;
  readonly size: number;
  readonly license: string;
  /** Keys of the hosts' software_version that it changes, after the next boot. */
  readonly software?: Readonly<Record<string, string>>;
}

/** What the vendor of a pool's hosts publishes; more can come at any time. */
export class Vendor {
  private readonly published: CdnUpdate[];
  readonly files: readonly UpdateInfo[];
  readonly packages: readonly Package[];
  /** The operation of XCP-ng's updater that holds a host's lock, by the host's reference. */
  readonly busy = new Map<string, string>();

  constructor({ files, cdn, packages }: Offer) {
    this.files = files;
    this.published = [...cdn];
    this.packages = packages;
  }

  publish(update: CdnUpdate): void {
    this.published.push(update);
  }

  /** What the repository says of its content now; '' when there is none. */
  get hash(): string {
    return this.hashOf(this.published.length);
  }

  /** What the repository brought between two of its states; '' is the state before all updates. */
  between(from: string, to: string): readonly CdnUpdate[] {
    return this.published.slice(this.positionOf(from), this.positionOf(to));
  }

  private hashOf(count: number): string {
    if (count === 0) return '';
    const ids = this.published.slice(0, count).map(({ id }) => id);
    return createHash('sha256').update(ids.join('\n')).digest('hex');
  }

  private positionOf(hash: string): number {
    const counts = this.published.map((_, at) => at + 1);
    return counts.find((count) => this.hashOf(count) === hash) ?? 0;
  }
}
