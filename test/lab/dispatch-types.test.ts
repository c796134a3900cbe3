import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../lab/lab.ts';
import { startLab } from '../../lab/lab.ts';
import { RawClient } from './raw-client.ts';
import type { Case } from './refusals.ts';
import { refusals } from './refusals.ts';
import { byName } from './with-lab.ts';

let lab: Lab;
let client: RawClient;
let template: string;

beforeAll(async () => {
  lab = await startLab();
  client = await RawClient.login(lab);
  template = await byName(client, 'VM', 'debian-12');
});
afterAll(() => lab.close());

const ocaml = (text: string) => ['INTERNAL_ERROR', `Failure("${text}")`];

const cases: readonly Case[] = [
  {
    why: 'a missing argument',
    method: 'VM.get_record',
    params: () => [],
    error: () => ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.get_record', '1', '0'],
  },
  {
    why: 'an argument too many',
    method: 'VM.get_record',
    params: () => ['a', 'b'],
    error: () => ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.get_record', '1', '2'],
  },
  {
    why: 'no argument at all',
    method: 'VM.get_all',
    params: () => [],
    bare: true,
    error: () => ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.get_all', '0', '-1'],
  },
  {
    why: 'a login with one argument',
    method: 'session.login_with_password',
    params: () => ['root'],
    bare: true,
    error: () => ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'session.login_with_password', '2', '1'],
  },
  {
    why: 'an integer for a string',
    method: 'VM.get_record',
    params: () => [5],
    error: () => ocaml("Expected string, got 'I(5)'"),
  },
  {
    why: 'a list for a reference',
    method: 'VM.get_record',
    params: () => [['a']],
    error: () => ocaml("Expected string, got '[S(a)]'"),
  },
  {
    why: 'null for a string',
    method: 'VM.get_record',
    params: () => [null],
    error: () => ocaml("Expected string, got 'N'"),
  },
  {
    why: 'a string for a bool',
    method: 'VM.start',
    params: () => [template, 'false', 'false'],
    error: () => ocaml("Expected bool, got 'S(false)'"),
  },
  {
    why: 'a string for a map',
    method: 'VM.set_other_config',
    params: () => [template, 'x'],
    error: () => ocaml("Expecting Rpc.Dict, but found 'S(x)'"),
  },
  {
    why: 'a string for a set',
    method: 'event.from',
    params: () => ['*', '', 1],
    error: () => ocaml("Expecting Rpc.Enum, but found 'S(*)'"),
  },
  {
    why: 'an unknown enum value',
    method: 'VM.set_actions_after_crash',
    params: () => [template, 'explode'],
    error: () => ocaml('Unknown tag/contents'),
  },
  {
    why: 'an integer that is none',
    method: 'VM.set_VCPUs_max',
    params: () => [template, 'many'],
    error: () => ocaml('Int64.of_string'),
  },
  {
    why: 'a float for an integer',
    method: 'VM.set_VCPUs_max',
    params: () => [template, 2.5],
    error: () => ocaml("Expected int64, got 'F(2.5)'"),
  },
  {
    why: 'a record that lacks a field',
    method: 'VM.create',
    params: () => [{}],
    error: () => ['INTERNAL_ERROR', 'Server_helpers.Dispatcher_FieldNotFound("user_version")'],
  },
  { why: 'a record that is none', method: 'VM.create', params: () => ['x'], error: () => ocaml('bad __structure') },
  {
    why: 'a wrong type before an unknown session',
    method: 'VM.get_all',
    params: () => [1],
    bare: true,
    error: () => ocaml("Expected string, got 'I(1)'"),
  },
  {
    why: 'a wrong arity before an unknown session',
    method: 'VM.get_record',
    params: () => ['bogus'],
    bare: true,
    error: () => ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.get_record', '1', '0'],
  },
  {
    why: 'an Async call with an argument missing',
    method: 'Async.VM.clone',
    params: () => [template],
    error: () => ['MESSAGE_PARAMETER_COUNT_MISMATCH', 'VM.clone', '2', '1'],
  },
];

describe('a call with the wrong arguments', () => {
  it.each(cases)('answers $why with the official error', async ({ method, params, bare, error }) => {
    const all = bare === true ? params() : [client.session, ...params()];
    expect(await refusals(client.url, method, all)).toEqual([error(), error()]);
  });
});
