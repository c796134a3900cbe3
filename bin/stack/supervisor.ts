import { EventEmitter } from 'node:events';
import type { Part, ReadyLine } from './part.ts';
import { type KeeperOptions, PartKeeper, type RestartPolicy } from './part-keeper.ts';
import { reapLeftovers } from './pid-files.ts';
import { lockStateFolder } from './state-lock.ts';
import { StackTrouble } from './trouble.ts';

const defaultRestart: RestartPolicy = {
  firstPauseMs: 250,
  longestPauseMs: 10_000,
  quickDeathMs: 10_000,
  quickDeathLimit: 6,
};

/** How long a leftover of an earlier run may take to end by itself. */
const leftoverLimitMs = 10_000;

/**
 * Starts parts one after the other, starts a part that died again, and stops all in the reverse order. One supervisor
 * owns a state folder at a time.
 */
export class Supervisor {
  /** Resolves when a part is given up. The parts that live go on; the owner decides what follows. */
  readonly givenUp: Promise<StackTrouble>;
  readonly #keepers: PartKeeper[] = [];
  readonly #events = new EventEmitter<{ restart: [part: string, pid: number] }>();
  readonly #unlock: () => void;
  readonly #keeperOptions: KeeperOptions;
  #stopped: Promise<void> | undefined;

  private constructor(stateDir: string, unlock: () => void, restart: RestartPolicy, say: (line: string) => void) {
    this.#unlock = unlock;
    let onGivenUp: KeeperOptions['onGivenUp'] = () => undefined;
    this.givenUp = new Promise((resolve) => (onGivenUp = resolve));
    const onRestart = (part: string, pid: number) => void this.#events.emit('restart', part, pid);
    this.#keeperOptions = { stateDir, restart, say, onRestart, onGivenUp };
  }

  /**
   * Takes an opened state folder and ends what an earlier supervisor left behind in it.
   * @throws StackTrouble when another supervisor is at work there
   */
  static async open(
    stateDir: string,
    say: (line: string) => void,
    restart: RestartPolicy = defaultRestart,
  ): Promise<Supervisor> {
    const unlock = lockStateFolder(stateDir);
    await reapLeftovers(stateDir, say, leftoverLimitMs);
    return new Supervisor(stateDir, unlock, restart, say);
  }

  /**
   * Starts a part and waits until it is ready.
   * @throws StackTrouble when it does not become ready, or when the supervisor is stopped meanwhile
   */
  async start(part: Part): Promise<ReadyLine> {
    if (this.#stopped) throw new StackTrouble(`${part.name} was not started: Switchboard is being stopped.`);
    const keeper = new PartKeeper(part, this.#keepers.length, this.#keeperOptions);
    this.#keepers.push(keeper);
    return keeper.start();
  }

  /** @throws StackTrouble when the part is not running */
  pid(name: string): number {
    const pid = this.#keepers.find(({ part }) => part.name === name)?.pid;
    if (pid === undefined) throw new StackTrouble(`${name} is not running at this moment.`);
    return pid;
  }

  /** @param listener gets the name of a part that died and the pid as which it was started again */
  onRestart(listener: (part: string, pid: number) => void): void {
    this.#events.on('restart', listener);
  }

  /** Stops every part, the last started first, and gives the state folder back. Calls after the first wait for it. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    for (const keeper of this.#keepers.toReversed()) await keeper.stop();
    this.#unlock();
  }
}
