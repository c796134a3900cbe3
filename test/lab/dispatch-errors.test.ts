import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../lab/lab.ts';
import { startLab } from '../../lab/lab.ts';
import { RawClient, post } from './raw-client.ts';
import type { Case } from './refusals.ts';
import { refusals } from './refusals.ts';
import { byName } from './with-lab.ts';

let lab: Lab;
let client: RawClient;
let template: string;
let host: string;

beforeAll(async () => {
  lab = await startLab();
  client = await RawClient.login(lab);
  template = await byName(client, 'VM', 'debian-12');
  host = await byName(client, 'host', 'ams1-h1');
});
afterAll(() => lab.close());

const cases: readonly Case[] = [
  { why: 'an unknown method', method: 'VM.foo', params: () => [], error: () => ['MESSAGE_METHOD_UNKNOWN', 'VM.foo'] },
  {
    why: 'a class in the wrong letter case',
    method: 'vm.get_all',
    params: () => [],
    error: () => ['MESSAGE_METHOD_UNKNOWN', 'vm.get_all'],
  },
  {
    why: 'an unknown method before its session',
    method: 'VM.foo',
    params: () => ['bogus'],
    bare: true,
    error: () => ['SESSION_INVALID', 'bogus'],
  },
  {
    why: 'an unknown method without any argument',
    method: 'VM.foo',
    params: () => [],
    bare: true,
    error: () => ['MESSAGE_METHOD_UNKNOWN', 'VM.foo'],
  },
  {
    why: 'an unknown session before an unknown reference',
    method: 'VM.get_record',
    params: () => ['bogus', 'OpaqueRef:1'],
    bare: true,
    error: () => ['SESSION_INVALID', 'bogus'],
  },
  {
    why: 'an empty session',
    method: 'VM.get_all',
    params: () => [''],
    bare: true,
    error: () => ['SESSION_INVALID', ''],
  },
  {
    why: 'an unknown reference',
    method: 'VM.get_record',
    params: () => ['OpaqueRef:1'],
    error: () => ['HANDLE_INVALID', 'VM', 'OpaqueRef:1'],
  },
  {
    why: 'the null reference',
    method: 'VM.start',
    params: () => ['OpaqueRef:NULL', false, false],
    error: () => ['HANDLE_INVALID', 'VM', 'OpaqueRef:NULL'],
  },
  {
    why: 'a reference of another class',
    method: 'VM.get_name_label',
    params: () => [host],
    error: () => ['HANDLE_INVALID', 'VM', host],
  },
  {
    why: 'an unknown uuid',
    method: 'VM.get_by_uuid',
    params: () => ['zzz'],
    error: () => ['UUID_INVALID', 'VM', 'zzz'],
  },
  { why: 'a removed message', method: 'VMPP.get_all_records', params: () => [], error: () => ['MESSAGE_REMOVED'] },
  {
    why: 'a setter of a read-only field',
    method: 'VM.set_power_state',
    params: () => [template, 'Running'],
    error: () => ['MESSAGE_METHOD_UNKNOWN', 'VM.set_power_state'],
  },
  {
    why: 'listing sessions',
    method: 'session.get_all',
    params: () => [],
    error: () => ['MESSAGE_METHOD_UNKNOWN', 'session.get_all'],
  },
  {
    why: 'the Async form of a getter',
    method: 'Async.VM.get_all',
    params: () => [],
    error: () => ['Fault', 'No async mode for this operation (rpc: VM.get_all)'],
  },
  {
    why: 'the Async form of an unknown method',
    method: 'Async.VM.foo',
    params: () => [],
    error: () => ['MESSAGE_METHOD_UNKNOWN', 'VM.foo'],
  },
  {
    why: 'a wrong password',
    method: 'session.login_with_password',
    params: () => ['root', 'bad'],
    bare: true,
    error: () => ['SESSION_AUTHENTICATION_FAILED', 'root', 'Authentication failure'],
  },
  {
    why: 'an unknown user',
    method: 'session.login_with_password',
    params: () => ['nobody', 'x'],
    bare: true,
    error: () => ['SESSION_AUTHENTICATION_FAILED', 'nobody', 'User not known to the underlying authentication module'],
  },
  {
    why: 'a query that cannot be read',
    method: 'VM.get_all_records_where',
    params: () => ['foo bar'],
    error: () => ['INVALID_VALUE', 'foo bar', 'Failure("lexing: empty token")'],
  },
  {
    why: 'a query for an unknown field',
    method: 'VM.get_all_records_where',
    params: () => ['field "nosuch"="x"'],
    error: () => ['INTERNAL_ERROR', 'missing field', 'nosuch', ''],
  },
  {
    why: 'a bad event token',
    method: 'event.from',
    params: () => [['vm'], 'garbage', 1],
    error: () => ['EVENT_FROM_TOKEN_PARSE_FAILURE', 'garbage'],
  },
  {
    why: 'an official message that has no behaviour here',
    method: 'pool.send_test_post',
    params: () => ['192.0.2.1', 80, ''],
    error: () => ['NOT_IMPLEMENTED', 'pool.send_test_post'],
  },
];

describe('a call that cannot be taken', () => {
  it.each(cases)('answers $why with the official error', async ({ method, params, bare, error }) => {
    const all = bare === true ? params() : [client.session, ...params()];
    expect(await refusals(client.url, method, all)).toEqual([error(), error()]);
  });

  it('makes a task for an Async call with an unknown reference, and the task fails', async () => {
    const task = await client.call('Async.VM.start', 'OpaqueRef:1', false, false);
    expect(await client.task(task)).toMatchObject({
      status: 'failure',
      error_info: ['HANDLE_INVALID', 'VM', 'OpaqueRef:1'],
    });
  });

  it('takes further arguments of a login', async () => {
    const { text } = await post(
      client.url,
      JSON.stringify({
        method: 'session.login_with_password',
        params: ['root', 'lab-password', '2.21', 'me', 'x'],
        id: 1,
      }),
    );
    expect(text).toMatch(/"result":"OpaqueRef:/);
  });

  it('answers to a method by its name with "_" for the dot', async () => {
    expect(await client.call('VM_get_name_label', template)).toBe('debian-12');
  });

  it('says which official messages have no behaviour', () => {
    expect(lab.unmodelled()).toContain('pool.send_test_post');
    expect(lab.unmodelled()).not.toContain('VM.clone');
  });
});
