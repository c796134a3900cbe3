import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '../../../lab/lab.ts';
import type { Barrier } from '../../../lab/faults.ts';
import { startLab } from '../../../lab/lab.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import type { Asked } from './asked.ts';
import { Pairs, comparable, firstDifference } from './compare.ts';
import type { RawAnswer } from './raw-exchange.ts';
import { exchange as sendRaw } from './raw-exchange.ts';
import type { Exchange } from './recording.ts';
import { rules } from './rules.ts';
import { schedule } from './schedule.ts';
import type { SeenObject } from './seed.ts';

/** A stretch of the recording that is replayed against one lab. */
export interface Chapter {
  readonly exchanges: readonly Exchange[];
  /** By the exchange's number. */
  readonly asked: ReadonlyMap<number, Asked>;
  /** References of sessions that were opened before. */
  readonly sessions: readonly string[];
  /** How many more there were, of others. */
  readonly otherSessions: number;
  /** The world at the beginning, as far as the answers show it. */
  readonly objects: readonly SeenObject[];
}

export interface Finding {
  readonly exchange: Exchange;
  readonly verdict: 'identical' | 'accepted' | 'different';
  /** By which it is accepted. */
  readonly rule?: string;
  /** For a different one: both texts around the place where they part. */
  readonly difference?: string;
}

const patienceMs = 12_000;
/** The genuine daemon never answered a negative timeout; nobody waits for the proof. */
const silencePatienceMs = 1_500;

async function startSeeded({ objects }: Chapter, folder: string): Promise<Lab> {
  const hosts = objects.filter(({ cls }) => cls === 'host');
  const block = 1 + Math.floor(Math.random() * 254);
  const pool = {
    id: 'rig',
    addresses: hosts.map((_, at) => `127.0.${block}.${at + 1}`),
    port: 0,
    generation: 0,
    objects: objects.map(({ cls, ref, record }) => [cls, ref, record]),
    facts: [],
  };
  const stateFile = join(folder, 'state.json');
  await writeFile(stateFile, JSON.stringify({ version: 1, epoch: 1, pools: [pool] }));
  return startLab({ stateFile, pools: [{ ...defaultPool('rig'), user: 'root', password: 'xenroot' }] });
}

function openSessions({ world: { store } }: Lab, { sessions, otherSessions }: Chapter): void {
  for (let other = 0; other < otherSessions; other++) store.create('session', farAway);
  for (const ref of sessions) store.create('session', farAway, ref);
}

const farAway = { auth_user_name: 'root', last_active: '20991231T00:00:00Z' };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether the exchange asks for a task, and found it unfinished. */
const isPoll = (item: Exchange | undefined) => item?.sent.includes('task.get_') === true;
const isPending = ({ body }: Exchange) => /status(<\/name><value>|":")pending/.test(body);

/** Keeps the task of an Async call pending for as long as the recording shows it so. */
class TaskHolder {
  private readonly lab: Lab;
  private held: Barrier | undefined;

  constructor(lab: Lab) {
    this.lab = lab;
  }

  async before(item: Exchange, polls: boolean): Promise<void> {
    if (this.held !== undefined && !(isPoll(item) && isPending(item))) {
      this.held.release();
      this.held = undefined;
      while (this.lab.calls().some(({ outcome, method }) => outcome === 'pending' && method.startsWith('Async.')))
        await pause(2);
    }
    const [, method] = /[>"]Async\.([\w.]+)[<"]/.exec(item.sent) ?? [];
    if (method !== undefined && polls) this.held = this.lab.hold({ method, at: 'before-effect' });
  }
}

/** For an answer that differs although a rule is about it: where it still does without what the rule takes out. */
function judge(exchange: Exchange, asked: Asked | undefined, answer: RawAnswer, pairs: Pairs): Finding {
  let rest = comparable(exchange, answer, pairs);
  const isStaged = asked?.failing !== undefined && exchange.body.includes(asked.failing.error[0]);
  if (rest.wanted === rest.found)
    return isStaged ? { exchange, verdict: 'accepted', rule: 'R3' } : { exchange, verdict: 'identical' };
  for (const { id, without } of rules.filter(({ appliesTo }) => appliesTo(exchange))) {
    rest = comparable(exchange, answer, pairs, without);
    if (rest.wanted === rest.found) return { exchange, verdict: 'accepted', rule: id };
  }
  return { exchange, verdict: 'different', difference: firstDifference(rest.wanted, rest.found) };
}

/** What happened to the pool since the last exchange. */
function comeTo({ world, faults }: Lab, asked: Asked | undefined, pairs: Pairs): void {
  if (asked?.failing !== undefined) faults.plan({ kind: 'refused', ...asked.failing });
  if (asked?.restarted === true) {
    world.sessions.forget(world.pool.master, true);
    world.endLife();
  }
  const expired = pairs.translate(asked?.expired ?? '');
  world.tasks.forget(expired);
  if (world.sessions.isKnown(expired)) world.sessions.end(expired);
}

/** The address of the host that the exchange was with, after the pool has come to the state that its answer tells of. */
function addressFor({ world, pools: [pool] }: Lab, asked: Asked | undefined): string {
  const hosts = world.store.refs('host');
  const { master } = world.pool;
  const member = asked?.member === true ? hosts.find((ref) => ref !== master) : undefined;
  if (member !== undefined) {
    world.machines.setToolstack(member, asked?.emergency === true ? 'emergency' : 'up');
    world.machines.setToolstack(master, asked?.coordinatorAway === true ? 'down' : 'up');
  }
  return pool?.hostAddresses[hosts.indexOf(member ?? master)] ?? '';
}

/** The rig's guests were up at once, while those of a lab on a busy machine take a moment. */
async function guestsUp({ world }: Lab): Promise<void> {
  const booted = Promise.all([...world.runningGuests.values()].map((guest) => guest.booted));
  await Promise.race([booted, pause(1000)]);
  await pause(0);
}

/** How the requests are sent, and how the answers are taken: in another encoding, say. */
export interface Accent {
  say(exchange: Exchange): string;
  hear(exchange: Exchange, answer: RawAnswer): RawAnswer;
}

const asRecorded: Accent = { say: ({ sent }) => sent, hear: (_exchange, answer) => answer };

/** Sends those that wait for each other, the first one first; gives their answers. */
async function sendTogether(
  lab: Lab,
  { asked }: Chapter,
  items: readonly Exchange[],
  pairs: Pairs,
  accent: Accent,
): Promise<RawAnswer[]> {
  const answers: Promise<RawAnswer>[] = [];
  for (const item of items) {
    await (answers.length > 0 ? pause(100) : guestsUp(lab));
    comeTo(lab, asked.get(item.n), pairs);
    const address = addressFor(lab, asked.get(item.n));
    const patience = item.status === '' ? silencePatienceMs : patienceMs;
    answers.push(sendRaw(address, lab.pools[0]?.port ?? 0, pairs.translate(accent.say(item)), patience));
  }
  return Promise.all(answers);
}

/** Sends a chapter's requests one after the other and compares the answers. */
export async function replay(chapter: Chapter, accent: Accent = asRecorded): Promise<Finding[]> {
  const { exchanges } = chapter;
  const folder = await mkdtemp(join(tmpdir(), 'lab-replay-'));
  const lab = await startSeeded(chapter, folder);
  openSessions(lab, chapter);
  const pairs = new Pairs();
  const holder = new TaskHolder(lab);
  const findings: Finding[] = [];
  try {
    for (const together of schedule(exchanges)) {
      for (const item of together) await holder.before(item, isPoll(exchanges[exchanges.indexOf(item) + 1]));
      const answers = await sendTogether(lab, chapter, together, pairs, accent);
      answers.forEach((answer, at) => {
        const item = together[at];
        if (item !== undefined) findings.push(judge(item, chapter.asked.get(item.n), accent.hear(item, answer), pairs));
      });
    }
  } finally {
    await lab.close();
    await rm(folder, { recursive: true });
  }
  return findings;
}
