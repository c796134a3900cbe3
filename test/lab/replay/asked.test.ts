import { expect, it } from '@jest/globals';
import { newestModel } from '../../../lab/model/model.ts';
import { xmlCodec } from '../../../lab/wire/xml-codec.ts';
import { chaptersOf } from './infer.ts';
import type { Exchange } from './recording.ts';
import { readRecordings } from './recording.ts';
import { replay } from './run.ts';

const host = 'OpaqueRef:8b84060f-0d20-485e-d6b9-e08aa934d88f';
const cors = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Headers', 'X-Requested-With'],
] as const;

type Outcome = { readonly value: string | boolean | readonly string[] } | { readonly error: readonly string[] };

/** As the recorder would have written it down; `bare` without the headers that an answer in emergency mode lacks. */
function exchange(n: number, method: string, params: readonly string[], outcome: Outcome, bare = false): Exchange {
  const items = params.map((param) => `<param><value>${param}</value></param>`).join('');
  const call = `<methodCall><methodName>${method}</methodName><params>${items}</params></methodCall>`;
  const decoded = xmlCodec.decodeCall(call, newestModel);
  const kinds = { string: { kind: 'string' }, boolean: { kind: 'bool' } } as const;
  const body =
    'error' in outcome
      ? decoded.failure(outcome.error)
      : typeof outcome.value === 'object'
        ? decoded.success({ kind: 'set', of: { kind: 'string' } }, outcome.value)
        : decoded.success(kinds[typeof outcome.value as 'string'], outcome.value);
  const headers = [
    ['content-length', String(body.length)],
    ['connection', 'keep-alive'],
    ['cache-control', 'no-cache, no-store'],
    ['content-type', 'text/xml'],
    ...(bare ? [] : cors),
  ] as const;
  const sent = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${call.length}\r\n\r\n${call}`;
  return { n, group: 'made up', label: method, sent, status: 'HTTP/1.1 200 OK', headers, body, seconds: 0 };
}

async function verdicts(exchanges: readonly Exchange[]): Promise<string[]> {
  const findings = await Promise.all(chaptersOf(exchanges, await readRecordings()).map((chapter) => replay(chapter)));
  return findings.flat().map(({ verdict, difference }) => difference ?? verdict);
}

const ref = (end: string): string => `OpaqueRef:00000000-0000-4000-8000-0000000000${end}`;
const login = 'session.login_with_password';
const who = ['root', 'xenroot'];

it('a host whose answers are those of emergency mode is a member that cannot reach its coordinator, until they are not', async () => {
  const away = { error: ['HOST_HAS_NO_MANAGEMENT_IP'] };
  const recorded = [
    exchange(1100, login, who, away, true),
    exchange(1101, 'VM.foo', [], away, true),
    exchange(1102, 'session.slave_local_login_with_password', who, { value: ref('01') }),
    exchange(1103, 'host.is_in_emergency_mode', [ref('01')], { value: true }),
    exchange(1104, login, who, { error: ['HOST_IS_SLAVE', '192.0.2.10'] }),
    exchange(1105, 'host.is_in_emergency_mode', [ref('01')], { value: false }),
  ];
  expect(await verdicts(recorded)).toEqual(recorded.map(() => 'identical'));
});

it('a session that is gone although nobody ended it tells of a restart', async () => {
  const recorded = [
    exchange(1300, login, who, { value: ref('02') }),
    exchange(1301, 'host.get_all', [ref('02')], { value: [host] }),
    exchange(1302, 'host.get_all', [ref('02')], { error: ['SESSION_INVALID', ref('02')] }),
    exchange(1303, login, who, { value: ref('03') }),
    exchange(1304, 'host.get_all', [ref('03')], { value: [host] }),
  ];
  expect(await verdicts(recorded)).toEqual(recorded.map(() => 'identical'));
});
