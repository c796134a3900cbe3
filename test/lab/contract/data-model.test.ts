import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startLab } from '../../../lab/lab.ts';
import type { Lab } from '../../../lab/lab.ts';
import { classes, errorParams } from '../../../lab/model/model.ts';
import type { MessageModel } from '../../../lab/model/model.ts';
import type { XenType } from '../../../lab/model/types.ts';
import { RawClient, post } from '../raw-client.ts';
import type { Source } from './generated-values.ts';
import { endings, misfit, seeded, valueOf } from './generated-values.ts';

let lab: Lab;
let client: RawClient;

beforeAll(async () => {
  lab = await startLab({ seed: 1 });
  client = await RawClient.login(lab);
});
afterAll(() => lab.close());

const messages: readonly MessageModel[] = [...classes.values()].flatMap((model) => model.messages);
const withSession = messages.filter(({ hasSession }) => hasSession);

interface Outcome {
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly data: readonly string[] };
}

async function send(method: string, params: readonly unknown[]): Promise<Outcome> {
  const { text } = await post(client.url, JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }));
  return JSON.parse(text) as Outcome;
}

/** In small groups, so that thousands of calls take seconds. */
async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<string | undefined>): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < items.length; at += 25) {
    const told = await Promise.all(items.slice(at, at + 25).map(work));
    found.push(...told.filter((text) => text !== undefined));
  }
  return found;
}

/** Codes that the daemon raises and its published catalogue leaves out. */
const uncatalogued = /^(VM_IS_SNAPSHOT|VDI_IO_ERROR|SR_BACKEND_FAILURE_\d+)$/;
/** Thousands of calls on a busy machine. */
const timeoutMs = 240_000;

const sourceOf = (seed: number): Source => ({
  refs: (cls) => lab.world.store.refs(cls),
  ints: [0, 1, 2, 3],
  random: seeded(seed),
});

const requiredOf = ({ params }: MessageModel) => params.filter(({ required }) => required).length;

/** A value that no parameter of the type takes. */
const wrongFor = (type: XenType): unknown => (type.kind === 'bool' || type.kind === 'float' ? [] : true);

describe('every message of the data model', () => {
  it(
    'is refused with one argument too many, and counts without the session',
    async () => {
      const allRequired = withSession.filter((message) => requiredOf(message) === message.params.length);
      const told = await inGroups(allRequired, async (message) => {
        const tooMany = Array.from({ length: message.params.length + 1 }, () => '');
        const { error } = await send(message.fullName, [client.session, ...tooMany]);
        const wanted = [message.fullName, String(message.params.length), String(tooMany.length)];
        if (error?.message === 'MESSAGE_PARAMETER_COUNT_MISMATCH' && error.data.join() === wanted.join())
          return undefined;
        return `${message.fullName}: ${JSON.stringify(error)}`;
      });
      expect(told).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'that has optional parameters takes any number of further arguments',
    async () => {
      const withOptional = withSession.filter((message) => requiredOf(message) < message.params.length);
      const source = sourceOf(3);
      const told = await inGroups(withOptional, async ({ fullName, params }) => {
        const given = params.map(({ type }) => valueOf(type, source));
        const { error } = await send(fullName, ['OpaqueRef:nobody', ...given, 'one', 'more']);
        return error?.message === 'SESSION_INVALID' ? undefined : `${fullName}: ${JSON.stringify(error)}`;
      });
      expect(withOptional.length).toBeGreaterThan(30);
      expect(told).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'is refused with one argument too few, the session too where it is the only one',
    async () => {
      const told = await inGroups(withSession, async (message) => {
        const required = requiredOf(message);
        // Without parameters there is nothing to leave out but the session.
        const given = required === 0 ? [] : [client.session, ...Array.from({ length: required - 1 }, () => '')];
        const { error } = await send(message.fullName, given);
        const wanted = [message.fullName, String(required), String(required - 1)];
        return error?.data.join() === wanted.join() ? undefined : `${message.fullName}: ${JSON.stringify(error)}`;
      });
      expect(told).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'is refused with a first argument of another type, unless it is removed',
    async () => {
      const withParams = withSession.filter(({ params, removed }) => params.length > 0 && !removed);
      const told = await inGroups(withParams, async (message) => {
        const given = message.params.map(({ type }, at) => (at === 0 ? wrongFor(type) : ''));
        const { error } = await send(message.fullName, [client.session, ...given]);
        const isTypeError = error?.message === 'INTERNAL_ERROR' && error.data[0]?.startsWith('Failure(') === true;
        return isTypeError ? undefined : `${message.fullName}: ${JSON.stringify(error)}`;
      });
      expect(told).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'is refused to a session that is not there',
    async () => {
      const source = sourceOf(1);
      const told = await inGroups(withSession, async ({ fullName, params }) => {
        const given = params.map(({ type }) => valueOf(type, source));
        const { error } = await send(fullName, ['OpaqueRef:nobody', ...given]);
        return error?.message === 'SESSION_INVALID' ? undefined : `${fullName}: ${JSON.stringify(error)}`;
      });
      expect(told).toEqual([]);
    },
    timeoutMs,
  );

  it(
    'that has behaviour answers with the declared type, or with an official error',
    async () => {
      const source = sourceOf(2);
      for (const cls of classes.keys()) if (lab.world.store.count(cls) === 0) lab.world.store.create(cls, {});
      const unmodelled = new Set(lab.unmodelled());
      const answers = (name: string) => !unmodelled.has(name) && !endings.has(name) && name !== 'event.next';
      const modelled = withSession.filter(({ fullName }) => answers(fullName));
      const told: string[] = [];
      for (const { fullName, params, result } of modelled) {
        const given = params.map(({ type }) => valueOf(type, source));
        const { result: answer, error } = await send(fullName, [client.session, ...given]);
        const official =
          error === undefined ||
          ((errorParams.has(error.message) || uncatalogued.test(error.message)) && !/\n\s+at /.test(error.data.join()));
        const wrong = error === undefined ? misfit(result, answer) : undefined;
        if (!official || wrong !== undefined) told.push(`${fullName}: ${wrong ?? JSON.stringify(error)}`);
      }
      expect(told).toEqual([]);
    },
    timeoutMs,
  );
});
