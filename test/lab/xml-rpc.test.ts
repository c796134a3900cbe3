import { describe, expect, it } from '@jest/globals';
import { post } from './raw-client.ts';
import { byName, freshLab } from './with-lab.ts';

const { client } = freshLab();

const param = (value: string) => `<param><value>${value}</value></param>`;

async function xml(method: string, ...values: readonly string[]): Promise<string> {
  const params = [client().session, ...values].map(param).join('');
  const body = `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${params}</params></methodCall>`;
  return (await post(client().url, body, '/')).text;
}

const success = (value: string) =>
  '<?xml version="1.0"?><methodResponse><params><param><value><struct><member><name>Status</name><value>Success</value></member>' +
  `<member><name>Value</name>${value}</member></struct></value></param></params></methodResponse>`;

describe('XML-RPC', () => {
  it('writes values as the genuine daemon does', async () => {
    const vm = await byName(client(), 'VM', 'debian-12');
    expect(await xml('VM.get_name_label', vm)).toBe(success('<value>debian-12</value>'));
    expect(await xml('VM.get_memory_static_max', vm)).toBe(success('<value>2147483648</value>'));
    expect(await xml('VM.get_HVM_shadow_multiplier', vm)).toBe(success('<value><double>1</double></value>'));
    expect(await xml('VM.get_is_a_template', vm)).toBe(success('<value><boolean>1</boolean></value>'));
    expect(await xml('VM.get_snapshot_time', vm)).toBe(
      success('<value><dateTime.iso8601>19700101T00:00:00Z</dateTime.iso8601></value>'),
    );
    expect(await xml('VM.get_tags', vm)).toBe(success('<value><array><data></data></array></value>'));
    expect(await xml('VM.get_xenstore_data', vm)).toBe(success('<value><struct></struct></value>'));
    expect(await xml('VM.set_name_description', vm, 'x')).toBe(success('<value></value>'));
  });

  it.each([
    ['a string element', '<string>a b</string>', 'a b'],
    ['bare text with spaces around', '  a  ', '  a  '],
    ['an empty string element', '<string/>', ''],
    ['entities and character references', '&lt;&amp;&quot;&apos;&#65;&#x42;', '<&"\'AB'],
    ['a CDATA section', '<![CDATA[<b>]]>', '<b>'],
    ['other languages', 'Grüße 世界', 'Grüße 世界'],
  ])('takes %s', async (_what, written, read) => {
    const vm = await byName(client(), 'VM', 'debian-12');
    expect(await xml('VM.set_name_description', vm, written)).toBe(success('<value></value>'));
    expect(await client().call('VM.get_name_description', vm)).toBe(read);
  });

  it('takes integers as int, i4, i8 and decimal text', async () => {
    const vm = await byName(client(), 'VM', 'debian-12');
    for (const value of ['<int>4</int>', '<i4>5</i4>', '<i8>6</i8>', '7']) {
      expect(await xml('VM.set_VCPUs_max', vm, value)).toBe(success('<value></value>'));
    }
    expect(await client().call('VM.get_VCPUs_max', vm)).toBe(7);
  });

  it('escapes in answers what XML needs and leaves the apostrophe', async () => {
    const vm = await byName(client(), 'VM', 'debian-12');
    await client().call('VM.set_name_description', vm, `<a href="x">it's & more</a>`);
    expect(await xml('VM.get_name_description', vm)).toBe(
      success(`<value>&lt;a href=&quot;x&quot;&gt;it's &amp; more&lt;/a&gt;</value>`),
    );
  });

  it('answers a failure with its description', async () => {
    expect(await xml('VM.get_record', 'OpaqueRef:1')).toContain(
      '<name>ErrorDescription</name><value><array><data><value>HANDLE_INVALID</value><value>VM</value><value>OpaqueRef:1</value></data></array></value>',
    );
  });

  it('gives the method list without the Status wrapper', async () => {
    const { text } = await post(
      client().url,
      '<methodCall><methodName>system.listMethods</methodName><params/></methodCall>',
      '/',
    );
    expect(text).toMatch(/^<\?xml version="1.0"\?><methodResponse><params><param><value><array><data><value>session\./);
  });
});
