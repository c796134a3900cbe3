import { describe, expect, it } from '@jest/globals';
import { byName, deploy, freshLab } from './with-lab.ts';

const { client } = freshLab();

interface Batch {
  readonly events: readonly {
    readonly id: string;
    readonly timestamp: string;
    readonly class: string;
    readonly operation: string;
    readonly ref: string;
    readonly snapshot?: { readonly name_label: string };
  }[];
  readonly valid_ref_counts: Readonly<Record<string, number>>;
  readonly token: string;
}

const from = (classes: readonly string[], token: string, timeout = 0.01) =>
  client().call<Batch>('event.from', classes, token, timeout);

describe('event.from', () => {
  it('gives the present state as "add" for an empty token', async () => {
    const { events, token } = await from(['pool'], '');
    expect(events.map(({ class: cls, operation, timestamp }) => [cls, operation, timestamp])).toEqual([
      ['pool', 'add', '0.0'],
    ]);
    expect(token).toMatch(/^\d{20},\d{20}$/);
  });

  it('tells each change since the token once, with the latest record only', async () => {
    const vm = await deploy(client(), 'web-1');
    const { token } = await from(['vm'], '');
    await client().call('VM.set_name_label', vm, 'web-2');
    await client().call('VM.set_name_label', vm, 'web-3');
    const delta = await from(['VM'], token);
    expect(delta.events.map(({ operation, ref, snapshot }) => [operation, ref, snapshot?.name_label])).toEqual([
      ['mod', vm, 'web-3'],
    ]);
    expect(await from(['vm'], delta.token)).toMatchObject({ events: [] });
  });

  it('tells "add" for a new object and "del", without a record, for one that is gone', async () => {
    const { token } = await from(['vm'], '');
    const vm = await deploy(client(), 'web-1');
    const added = await from(['vm'], token);
    expect(added.events.filter(({ ref }) => ref === vm).map(({ operation }) => operation)).toEqual(['add']);
    await client().call('VM.destroy', vm);
    const gone = await from(['vm'], added.token);
    expect(gone.events.filter(({ ref }) => ref === vm)).toEqual([
      expect.not.objectContaining({ snapshot: expect.anything() }),
    ]);
    expect(gone.events.find(({ ref }) => ref === vm)?.operation).toBe('del');
  });

  it('says nothing of an object that came and went between two calls', async () => {
    const { token } = await from(['vm'], '');
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.destroy', vm);
    expect((await from(['vm'], token)).events.map(({ ref }) => ref)).not.toContain(vm);
  });

  it('is woken by a change and watches single objects', async () => {
    const [one, two] = [await deploy(client(), 'one'), await deploy(client(), 'two')];
    const { token } = await from([`vm/${one}`], '');
    const waiting = from([`vm/${one}`], token, 30);
    await client().call('VM.set_name_label', two, 'unwatched');
    await client().call('VM.set_name_label', one, 'watched');
    expect((await waiting).events.map(({ snapshot }) => snapshot?.name_label)).toEqual(['watched']);
  });

  it('answers SESSION_INVALID as soon as the session is logged out', async () => {
    const { token } = await from(['vm'], '');
    const waiting = client().refusal('event.from', ['vm'], token, 30);
    await client().call('session.logout');
    expect(await waiting).toEqual(['SESSION_INVALID', client().session]);
  });

  it('counts every class, and the tasks exactly', async () => {
    const { valid_ref_counts: before } = await from(['nosuchclass'], '');
    await client().call('task.create', 'mine', '');
    const { valid_ref_counts: after } = await from(['nosuchclass'], '');
    expect(after['task']).toBe((before['task'] ?? 0) + 1);
    expect(after).toMatchObject({ host: 3, pool: 1, vm: 4, diagnostics: 0 });
  });

  it('keeps sessions out of everything it tells', async () => {
    const { events } = await from(['*', 'session'], '');
    expect(events.map(({ class: cls }) => cls)).not.toContain('session');
  });

  it('waits with a token from the future and answers no events', async () => {
    const future = '00000000000099999999,00000000000000000000';
    expect(await from(['vm'], future)).toMatchObject({ events: [], token: future });
  });
});

describe('event.inject', () => {
  it('answers a token from which the object shows as modified, and wants the exact class', async () => {
    const vm = await byName(client(), 'VM', 'debian-12');
    const { token } = await from(['vm'], '');
    expect(await client().call('event.inject', 'VM', vm)).toMatch(/^\d{20},\d{20}$/);
    expect((await from(['vm'], token)).events.map(({ ref, operation }) => [ref, operation])).toEqual([[vm, 'mod']]);
    expect(await client().refusal('event.inject', 'vm', vm)).toEqual(['HANDLE_INVALID', 'vm', vm]);
  });
});

describe('event.next', () => {
  it('wants a registration, then tells changes with Unix times', async () => {
    expect((await client().refusal('event.next'))[0]).toBe('SESSION_NOT_REGISTERED');
    const vm = await byName(client(), 'VM', 'debian-12');
    await client().call('event.register', ['vm']);
    await client().call('VM.set_name_description', vm, 'seen');
    const events = await client().call<Batch['events']>('event.next');
    expect(events.map(({ id, class: cls, operation }) => [id, cls, operation])).toEqual([['0', 'vm', 'mod']]);
    expect(events[0]?.timestamp).toMatch(/^\d{10}\.$/);
  });
});
