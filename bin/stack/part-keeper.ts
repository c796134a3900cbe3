import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Part, type PartProcess, type ReadyLine, startPart } from './part.ts';
import { forgetPid, recordPid } from './pid-files.ts';
import { endGroup } from './process-identity.ts';
import { StackTrouble, reasonOf } from './trouble.ts';

/** When a part that died is started again, and when that is given up. */
export interface RestartPolicy {
  /** The pause before the first restart; it doubles with every quick death. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A part that lived shorter than this died quickly. */
  readonly quickDeathMs: number;
  /** So many quick deaths in a row, and the part is given up. */
  readonly quickDeathLimit: number;
}

export interface KeeperOptions {
  readonly stateDir: string;
  readonly restart: RestartPolicy;
  readonly say: (line: string) => void;
  readonly onRestart: (part: string, pid: number) => void;
  readonly onGivenUp: (trouble: StackTrouble) => void;
}

/** Keeps one part alive from `start` to `stop`. */
export class PartKeeper {
  readonly part: Part;
  readonly #order: number;
  readonly #options: KeeperOptions;
  readonly #stopping = new AbortController();
  #current: PartProcess | undefined;
  #keeping: Promise<void> = Promise.resolve();

  /** @param order the place of the part in the order of starts: leftovers are ended in the reverse order */
  constructor(part: Part, order: number, options: KeeperOptions) {
    this.part = part;
    this.#order = order;
    this.#options = options;
  }

  /** Undefined while the part is down. */
  get pid(): number | undefined {
    return this.#current?.pid;
  }

  /** @throws StackTrouble when the part does not become ready; nothing of it is left then */
  async start(): Promise<ReadyLine> {
    const { life, ready } = await this.#launch();
    this.#keeping = this.#keep(life);
    return ready;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#end();
    await this.#keeping;
  }

  async #launch(): Promise<{ life: PartProcess; ready: ReadyLine }> {
    const { part } = this;
    const life = await startPart(part, this.#logFile);
    this.#current = life;
    const command = [part.command, ...part.args].join(' ');
    recordPid(this.#options.stateDir, {
      part: part.name,
      order: this.#order,
      pid: life.pid,
      command,
      stopSignal: part.stopSignal,
    });
    try {
      if (this.#stopping.signal.aborted) throw new StackTrouble(`${part.name} was stopped before it was ready.`);
      return { life, ready: await life.ready };
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  /** Ends the whole group: a part that was killed may have left children of its own. */
  async #end(): Promise<void> {
    if (this.#current === undefined) return;
    const { pid } = this.#current;
    const { name, stopSignal, stopLimitMs } = this.part;
    const killed = await endGroup(pid, stopSignal, stopLimitMs);
    if (killed) this.#options.say(`${name} (pid ${pid}) did not end within ${stopLimitMs / 1000} s; it was killed.`);
    forgetPid(this.#options.stateDir, name);
    this.#current = undefined;
  }

  async #keep(first: PartProcess): Promise<void> {
    let life: PartProcess | undefined = first;
    let startedMs = performance.now();
    let quickDeaths = 0;
    let how = '';
    for (;;) {
      if (life) how = await life.ended;
      if (this.#stopping.signal.aborted) return;
      await this.#end();
      quickDeaths = performance.now() - startedMs < this.#options.restart.quickDeathMs ? quickDeaths + 1 : 1;
      if (quickDeaths >= this.#options.restart.quickDeathLimit) {
        this.#giveUp(how, quickDeaths);
        return;
      }
      if (!(await this.#pause(quickDeaths))) return;
      startedMs = performance.now();
      [life, how] = await this.#relaunch(how);
    }
  }

  /** @returns the new life, or none and the reason */
  async #relaunch(how: string): Promise<[PartProcess | undefined, string]> {
    try {
      const { life } = await this.#launch();
      this.#options.say(`${this.part.name} died (${how}) and was started again as pid ${life.pid}.`);
      this.#options.onRestart(this.part.name, life.pid);
      return [life, how];
    } catch (error) {
      return [undefined, reasonOf(error)];
    }
  }

  /** @returns false when the stack is being stopped meanwhile */
  async #pause(quickDeaths: number): Promise<boolean> {
    const { firstPauseMs, longestPauseMs } = this.#options.restart;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (quickDeaths - 1));
    return delay(pauseMs, true, { signal: this.#stopping.signal }).catch(() => false);
  }

  #giveUp(how: string, quickDeaths: number): void {
    this.#options.onGivenUp(
      new StackTrouble(
        `${this.part.name} died ${quickDeaths} times in a row soon after its start and is not started again ` +
          `(the last time: ${how}). Read its log ${this.#logFile}, cure the cause and start Switchboard again.`,
      ),
    );
  }

  get #logFile(): string {
    return join(this.#options.stateDir, 'logs', `${this.part.name}.log`);
  }
}
