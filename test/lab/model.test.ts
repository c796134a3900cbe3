import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { classModel, classes, enums, errorParams, publishedClasses, sources } from '../../lab/model/model.ts';
import { parseType } from '../../lab/model/types.ts';

const messages = [...publishedClasses.values()].flatMap((cls) => cls.messages);

describe('the data model', () => {
  it('has every class, field and message, and says what it was made from', () => {
    expect(publishedClasses.size).toBe(72);
    expect([...publishedClasses.values()].flatMap((cls) => cls.fields)).toHaveLength(922);
    expect(messages).toHaveLength(2007);
    expect(errorParams.size).toBe(603);
    expect(Object.values(sources)).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ]);
  });

  it('holds no sentence of its source', async () => {
    const text = await readFile(new URL('../../lab/model/data-model.json', import.meta.url), 'utf8');
    const values = [...text.matchAll(/"([^"\\]*)"/g)].map(([, value = '']) => value);
    const [header = '', ...others] = values.slice(values.indexOf('generated') + 1);
    expect(header).toMatch(/^by lab\/model\/generate.mjs/);
    expect(others.filter((value) => !value.includes('|') && value.split(' ').length > 3)).toEqual([]);
  });

  it('knows the Async forms: explicit messages but a list, of the generated ones create and destroy', () => {
    const hasAsync = (name: string) => messages.find(({ fullName }) => fullName === name)?.hasAsync;
    expect(['VM.clone', 'VM.start', 'VDI.create', 'VBD.destroy'].map(hasAsync)).toEqual([true, true, true, true]);
    expect(['VM.get_all', 'VM.set_name_label', 'task.destroy', 'event.from', 'session.logout'].map(hasAsync)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(messages.filter((message) => message.hasAsync)).toHaveLength(439);
  });

  it('gives each field the initial value of its type', () => {
    const initial = (cls: 'VM' | 'host' | 'VBD', name: string) => classModel(cls).field.get(name)?.initial;
    expect(initial('VM', 'HVM_shadow_multiplier')).toBe(1);
    expect(initial('VM', 'snapshot_of')).toBe('OpaqueRef:NULL');
    expect(initial('VM', 'generation_id')).toBe('0:0');
    expect(initial('VM', 'tags')).toEqual([]);
    expect(initial('VBD', 'unpluggable')).toBe(true);
    expect(initial('host', 'license_server')).toEqual({ address: 'localhost', port: '27000' });
    expect(initial('host', 'virtual_hardware_platform_versions')).toEqual([0]);
  });

  it('knows the values of every enum that a field or a parameter uses', () => {
    const used = [...classes.values()].flatMap(({ fields }) => fields.map(({ type }) => type));
    const missing = used.filter((type) => type.kind === 'enum' && !enums.has(type.name));
    expect(missing).toEqual([]);
  });

  it('leaves out what is newer than the release that the lab speaks as', () => {
    expect(classes.has('Rate_limit')).toBe(false);
    expect(classModel('VM').field.has('groups')).toBe(true);
    expect(classModel('VM').field.has('secureboot_certificates_state')).toBe(false);
    expect(classModel('VIF').field.has('trunks')).toBe(false);
  });

  it('reads nested types', () => {
    expect(parseType('(VM ref -> (string -> string) map) map')).toEqual({
      kind: 'map',
      key: { kind: 'ref', cls: 'VM' },
      value: { kind: 'map', key: { kind: 'string' }, value: { kind: 'string' } },
    });
    expect(() => parseType('bananas')).toThrow('bananas');
  });
});
