import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { poolOf } from '../../../lab/scenario.ts';
import type { Answer } from '../raw-client.ts';
import { RawClient, post } from '../raw-client.ts';
import { byName } from '../with-lab.ts';

let lab: Lab;
let client: RawClient;
let vm: string;

beforeAll(async () => {
  lab = await startLab({ pools: [poolOf('xapi-25.33.1')] });
  client = await RawClient.login(lab);
  vm = await byName(client, 'VM', 'debian-12');
});
afterAll(() => lab.close());

/** The answer to a call whose last argument is the given XML. */
async function xml(method: string, value: string): Promise<Answer> {
  const params = [client.session, vm].map((ref) => `<param><value>${ref}</value></param>`).join('');
  const call = `<methodName>${method}</methodName><params>${params}<param><value>${value}</value></param></params>`;
  return post(client.url, `<?xml version="1.0"?><methodCall>${call}</methodCall>`, '/');
}

describe('a value in an XML-RPC request', () => {
  it.each([
    ['a control character', 'VM.set_name_label', 'a\u0001b'],
    ['a reference to a control character', 'VM.set_name_label', 'a&#1;b'],
    ['a control character in a CDATA section', 'VM.set_name_label', '<![CDATA[a\u0002b]]>'],
    ['an unknown entity', 'VM.set_name_label', '&bogus;'],
    ['a type that there is not', 'VM.set_name_label', '<bytes>YQ==</bytes>'],
    ['base64 with a line break in it', 'VM.set_name_label', '<base64>YWFh\nYQ==</base64>'],
    ['an empty integer', 'VM.set_user_version', '<int/>'],
    ['an integer with a space', 'VM.set_user_version', '<int> 5</int>'],
    ['an empty boolean', 'VM.set_ha_always_run', '<boolean></boolean>'],
    ['an empty date', 'session.get_record', '<dateTime.iso8601/>'],
    ['text before an element', 'VM.set_name_label', 'a<string>b</string>'],
    ['text behind an element', 'VM.set_name_label', '<string>b</string>a'],
    ['two elements', 'VM.set_name_label', '<string>a</string><string>b</string>'],
    ['an element within a text', 'VM.set_name_label', '<string>a<i>b</i></string>'],
    ['a nil with content', 'VM.set_name_label', '<nil>x</nil>'],
    ['a list without data', 'VM.set_tags', '<array><value>a</value></array>'],
    ['a list of what is no value', 'VM.set_tags', '<array><data><string>a</string></data></array>'],
    ['a member without a name', 'VM.set_other_config', '<struct><member><name/><value>b</value></member></struct>'],
    [
      'a member with two values',
      'VM.set_other_config',
      '<struct><member><name>a</name><value>b</value><value>c</value></member></struct>',
    ],
    ['a struct of what is no member', 'VM.set_other_config', '<struct><name>a</name></struct>'],
    ['an integer that is none', 'VM.set_user_version', '<int>x</int>'],
    ['an integer over 64 bits', 'VM.set_user_version', '<int>9223372036854775808</int>'],
    ['a double that is none', 'VM.set_HVM_shadow_multiplier', '<double>x</double>'],
  ])('is refused as unreadable when it is %s', async (_what, method, value) => {
    const { status, headers, text } = await xml(method, value);
    expect(status).toBe(500);
    expect(headers.get('content-type')).toBe('text/html');
    expect(text).toContain('<h1> Additional information </h1>');
  });

  it.each([
    ['carriage returns with line feeds become line feeds', 'a\r\nb', 'a\nb'],
    ['a referenced carriage return stays', 'a&#13;b', 'a\rb'],
    ['white space around a string element does not count', '\n <string>p</string>\n', 'p'],
  ])('is text: %s', async (_what, written, read) => {
    expect((await xml('VM.set_name_description', written)).status).toBe(200);
    expect(await client.call('VM.get_name_description', vm)).toBe(read);
  });

  it.each([
    ['something before the root', 'x<methodCall><methodName>system.listMethods</methodName><params/></methodCall>'],
    ['no method', '<methodCall><params/></methodCall>'],
    ['something behind the parameters', '<methodCall><methodName>a.b</methodName><params/><params/></methodCall>'],
    [
      'a parameter that is none',
      '<methodCall><methodName>a.b</methodName><params><value>a</value></params></methodCall>',
    ],
  ])('is unreadable with %s', async (_what, body) => {
    expect((await post(client.url, body, '/')).status).toBe(500);
  });

  it('ends with its root: what comes behind is not read', async () => {
    const body = '<methodCall><methodName>system.listMethods</methodName><params/></methodCall><oops';
    expect((await post(client.url, body, '/')).status).toBe(200);
  });

  it.each([
    ['1', true],
    ['true', false],
    ['2', false],
    ['0', false],
  ])('is a boolean written %s', async (written, read) => {
    await xml('VM.set_ha_always_run', `<boolean>${written}</boolean>`);
    expect(await client.call('VM.get_ha_always_run', vm)).toBe(read);
  });

  it.each([
    ['VM.set_name_label', '<nil/>', "Expected string, got 'N'"],
    ['VM.set_name_label', '<array><data><value>a</value></data></array>', "Expected string, got '[S(a)]'"],
    ['VM.set_name_label', '<base64>YWJj</base64>', "Expected string, got 'S(abc)'"],
    ['VM.set_name_label', '<double>1.5</double>', "Expected string, got 'F(1.5)'"],
    ['VM.set_name_label', '<double>12345678</double>', "Expected string, got 'F(1.23457e+07)'"],
    ['VM.set_name_label', '<double>0.00001</double>', "Expected string, got 'F(1e-05)'"],
    ['VM.set_name_label', '<double>-0.5</double>', "Expected string, got 'F(-0.5)'"],
    ['VM.set_ha_always_run', '<int>1</int>', "Expected bool, got 'I(1)'"],
    ['VM.set_user_version', '<boolean>1</boolean>', "Expected int64, got 'B(true)'"],
    ['VM.set_user_version', '9223372036854775808', 'Int64.of_string'],
    ['VM.set_other_config', '<array/>', "Expecting Rpc.Dict, but found '[]'"],
    ['VM.set_tags', '<struct/>', "Expecting Rpc.Enum, but found '{}'"],
  ])('of the wrong type is an internal error: %s of %s', async (method, value, failure) => {
    const { text } = await xml(method, value);
    expect(text).toContain(`<value>INTERNAL_ERROR</value><value>Failure(&quot;${failure}&quot;)</value>`);
  });
});

describe('a JSON request', () => {
  const call = (members: string) => post(client.url, `{"jsonrpc":"2.0",${members}}`);
  const setVersion = async (value: string) => {
    const { text } = await call(
      `"method":"VM.set_user_version","params":["${client.session}","${vm}",${value}],"id":1`,
    );
    expect(text).toBe('{"jsonrpc":"2.0","result":"","id":1}');
    return client.call<number>('VM.get_user_version', vm);
  };

  it.each([
    ['9007199254740993', '9007199254740993'],
    ['-1', '-1'],
    ['"a\\u00e9\\/\\n"', '"aé/\\n"'],
  ])('gets its id %s back exactly', async (id, echoed) => {
    const { text } = await call(`"method":"pool.get_all","params":["${client.session}"],"id":${id}`);
    expect(text.endsWith(`,"id":${echoed}}`)).toBe(true);
  });

  it.each(['true', 'null', '1.0', '9223372036854775808', '[]'])('with the id %s is unreadable', async (id) => {
    expect((await call(`"method":"pool.get_all","params":["${client.session}"],"id":${id}`)).status).toBe(500);
  });

  it('counts the first of two members with one name', async () => {
    const { text } = await call('"method":"system.listMethods","method":"no.such","params":[],"params":5,"id":1');
    expect(text).toContain('"result":["session.get_record"');
  });

  it('may hold comments and raw control characters, but no comma before an end', async () => {
    const name = `"method":"VM.set_name_description",/* what */"params":["${client.session}","${vm}","a\tb"],"id":1`;
    expect((await call(name)).status).toBe(200);
    expect(await client.call('VM.get_name_description', vm)).toBe('a\tb');
    expect((await call(`"method":"pool.get_all","params":["${client.session}",],"id":1`)).status).toBe(500);
  });

  it.each([
    ['7', 7],
    ['"8"', 8],
    ['"0x10"', 16],
    ['"1_000"', 1000],
    ['"-0b11"', -3],
  ])('writes an integer as OCaml reads it: %s', async (written, read) => {
    expect(await setVersion(written)).toBe(read);
  });

  it.each(['9223372036854775807', '"-9223372036854775808"', '9007199254740993'])(
    'gets all 64 bits of an integer back: %s',
    async (value) => {
      await setVersion(value);
      const { text } = await call(`"method":"VM.get_user_version","params":["${client.session}","${vm}"],"id":1`);
      expect(text).toBe(`{"jsonrpc":"2.0","result":${value.replaceAll('"', '')},"id":1}`);
    },
  );

  it('gets a map back in its order, whatever its keys look like', async () => {
    const params = (...rest: readonly string[]) => `"params":["${client.session}","${vm}"${rest.join('')}],"id":1`;
    await call(`"method":"VM.set_other_config",${params(',{"10":"a","b":"c","2":"d"}')}`);
    await client.call('VM.add_to_other_config', vm, '0', 'e');
    await client.call('VM.remove_from_other_config', vm, 'b');
    const { text } = await call(`"method":"VM.get_other_config",${params()}`);
    expect(text).toBe('{"jsonrpc":"2.0","result":{"0":"e","10":"a","2":"d"},"id":1}');
    const taken = ['MAP_DUPLICATE_KEY', 'VM', 'other_config', vm, '10'];
    expect(await client.refusal('VM.add_to_other_config', vm, '10', 'f')).toEqual(taken);
  });

  it.each([
    ['an integer of full size where a text is wanted', 'VM.set_name_label', '9007199254740993', 'I(9007199254740993)'],
    ['a number that is none', 'VM.set_name_label', 'NaN', 'F(nan)'],
  ])('names %s in the refusal', async (_what, method, value, described) => {
    const { text } = await call(`"method":"${method}","params":["${client.session}","${vm}",${value}],"id":1`);
    expect(text).toContain(`got '${described}'`);
  });

  it('finds a message under its name with "_" for the dot, whatever the class is called', async () => {
    expect(await client.call('VM_guest_metrics_get_all')).toEqual(await client.call('VM_guest_metrics.get_all'));
  });
});

it('is unreadable as XML when it is not UTF-8', async () => {
  const body = Buffer.from(
    '<?xml version="1.0"?><methodCall><methodName>VM.\xff</methodName><params/></methodCall>',
    'latin1',
  );
  const response = await fetch(`${client.url}/`, { method: 'POST', body });
  expect(response.status).toBe(500);
});
