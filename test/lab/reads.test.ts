import { describe, expect, it } from '@jest/globals';
import { classes } from '../../lab/model/model.ts';
import { Refusal } from './raw-client.ts';
import { deploy, freshLab } from './with-lab.ts';

const { lab, client } = freshLab();

describe('reading', () => {
  it('changes nothing and is marked so: every getter of every object, and every list', async () => {
    const vm = await deploy(client(), 'web-1');
    await client().call('VM.start', vm, false, false);
    await lab().world.runningGuests.get(vm)?.booted;
    const before = lab().snapshot();
    const from = lab().calls().length;
    for (const { name: cls, messages } of classes.values()) {
      if (cls === 'session' || cls === 'message') continue;
      const [ref] = lab().world.store.refs(cls);
      for (const { name, params } of messages.filter(
        (message) => message.implicit && message.name.startsWith('get_'),
      )) {
        const args = params.map(({ type }) => (type.kind === 'ref' ? ref : 'nothing has this name'));
        if (args.includes(undefined)) continue;
        await client()
          .call(`${cls}.${name}`, ...args)
          .catch((error: unknown) => {
            if (!(error instanceof Refusal)) throw error;
            expect(['UUID_INVALID', 'MESSAGE_REMOVED']).toContain(error.description[0]);
          });
      }
    }
    expect(lab().diff(before)).toEqual([]);
    expect(lab().calls({ since: from }).length).toBeGreaterThan(400);
    expect(lab().calls({ since: from, mutating: true })).toEqual([]);
  });

  it('gives every record exactly the fields of the data model', async () => {
    for (const { name: cls, fields, messages } of classes.values()) {
      if (!messages.some(({ name, removed }) => name === 'get_all_records' && !removed)) continue;
      const records = await client().call<Record<string, object>>(`${cls}.get_all_records`);
      for (const record of Object.values(records)) expect(Object.keys(record)).toEqual(fields.map(({ name }) => name));
    }
  });
});
