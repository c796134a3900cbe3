import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab } from '../../../lab/lab.ts';
import type { Barrier } from '../../../lab/faults.ts';
import { startLab } from '../../../lab/lab.ts';
import { defaultPool } from '../../../lab/scenario.ts';
import type { Chapter } from './chapters.ts';
import { Pairs, comparable, firstDifference } from './compare.ts';
import type { RawAnswer } from './raw-exchange.ts';
import { exchange as sendRaw } from './raw-exchange.ts';
import type { Exchange } from './recording.ts';
import { rules } from './rules.ts';

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

async function startSeeded(chapter: Chapter, recorded: ReadonlyMap<number, Exchange>, folder: string): Promise<Lab> {
  const objects = chapter.objects(recorded);
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
  const stateFile = join(folder, `${chapter.host}-${chapter.groups.join('-')}.json`);
  await writeFile(stateFile, JSON.stringify({ version: 1, epoch: 1, pools: [pool] }));
  return startLab({ stateFile, pools: [{ ...defaultPool('rig'), user: 'root', password: 'xenroot' }] });
}

function openSessions(lab: Lab, chapter: Chapter, exchanges: readonly Exchange[]): void {
  for (let other = 0; other < (chapter.otherSessions ?? 0); other++) lab.world.store.create('session', farAway);
  for (const start of chapter.sessions) {
    const ref = exchanges
      .flatMap(({ sent }) => sent.match(/OpaqueRef:[0-9a-f-]{36}/g) ?? [])
      .find((found) => found.startsWith(`OpaqueRef:${start}`));
    if (ref !== undefined) lab.world.store.create('session', farAway, ref);
  }
}

const farAway = { auth_user_name: 'root', last_active: '20991231T00:00:00Z' };

/** Calls that wait for the next one: it is sent while they wait. */
const waitsForNext: ReadonlySet<string> = new Set(['blocking event.from woken']);
/** Calls that the recording lists after the one that woke them. */
const wokenByPrevious: ReadonlySet<string> = new Set(['event.from interrupted by logout']);

/** In the order of sending: each with those that are sent while it waits. */
function schedule(exchanges: readonly Exchange[]): (readonly Exchange[])[] {
  const plan: Exchange[][] = [];
  for (const item of exchanges) {
    const last = plan.at(-1);
    if (last?.[0] !== undefined && waitsForNext.has(last[0].label) && last.length === 1) last.push(item);
    else if (last !== undefined && wokenByPrevious.has(item.label)) last.unshift(item);
    else plan.push([item]);
  }
  return plan;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const isPending = ({ body }: Exchange) => body.includes('<name>status</name><value>pending</value>');

/** Keeps the task of an Async call pending for as long as the recording shows it so. */
class TaskHolder {
  private readonly lab: Lab;
  private held: Barrier | undefined;

  constructor(lab: Lab) {
    this.lab = lab;
  }

  async before({ label, sent, body }: Exchange, polls: boolean): Promise<void> {
    const isPoll = label.startsWith('poll ');
    if (this.held !== undefined && !(isPoll && isPending({ body } as Exchange))) {
      this.held.release();
      this.held = undefined;
      while (this.lab.calls().some(({ outcome, method }) => outcome === 'pending' && method.startsWith('Async.')))
        await pause(2);
    }
    const [, method] = /<methodName>Async\.([\w.]+)</.exec(sent) ?? [];
    if (method !== undefined && polls) this.held = this.lab.hold({ method, at: 'before-effect' });
  }
}

function judge(exchange: Exchange, answer: RawAnswer, pairs: Pairs): Finding {
  const { wanted, found } = comparable(exchange, answer, pairs);
  if (wanted === found) return { exchange, verdict: 'identical' };
  const rule = rules.find(({ appliesTo, without }) => {
    if (!appliesTo(exchange)) return false;
    const rest = comparable(exchange, answer, pairs, without);
    return rest.wanted === rest.found;
  });
  if (rule !== undefined) return { exchange, verdict: 'accepted', rule: rule.id };
  return { exchange, verdict: 'different', difference: firstDifference(wanted, found) };
}

/** Sends a chapter's requests one after the other and compares the answers. */
export async function replay(chapter: Chapter, all: readonly Exchange[]): Promise<Finding[]> {
  const exchanges = all.filter(({ group }) => chapter.groups.includes(group));
  const folder = await mkdtemp(join(tmpdir(), 'lab-replay-'));
  const lab = await startSeeded(chapter, new Map(all.map((item) => [item.n, item])), folder);
  openSessions(lab, chapter, exchanges);
  const pairs = new Pairs();
  const holder = new TaskHolder(lab);
  const findings: Finding[] = [];
  const [pool] = lab.pools;
  const send = (item: Exchange): Promise<RawAnswer> =>
    sendRaw(
      pool?.hostAddresses[chapter.host] ?? '',
      pool?.port ?? 0,
      pairs.translate(item.sent),
      item.status === '' ? silencePatienceMs : patienceMs,
    );
  try {
    for (const together of schedule(exchanges)) {
      for (const item of together)
        await holder.before(item, exchanges[exchanges.indexOf(item) + 1]?.label.startsWith('poll ') === true);
      const answers: Promise<RawAnswer>[] = [];
      for (const item of together) {
        if (answers.length > 0) await pause(100);
        answers.push(send(item));
      }
      for (const [at, item] of together.entries()) {
        const answer = await answers[at];
        if (answer !== undefined) findings.push(judge(item, answer, pairs));
      }
    }
  } finally {
    await lab.close();
    await rm(folder, { recursive: true });
  }
  return findings;
}
