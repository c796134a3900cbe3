import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { createActivities, steps } from '../../activities/index.ts';
import type { Deps } from '../../activities/step.ts';
import { startSite } from '../support/site.ts';
import { marked } from './installation.ts';
import { everythingKept } from './readable.ts';
import { decoded, findSecrets } from './search.ts';

const secrets = { inFailure: marked('failure'), inResult: marked('result'), nowhere: marked('nowhere') };

/** Steps with two mistakes: one tells a secret in its failure, one in what it answers. */
function leakySteps(deps: Deps): ReturnType<typeof createActivities> {
  const sound = createActivities(deps);
  const step = (name: keyof typeof steps) => sound[name] ?? neverCalled;
  const leak = ApplicationFailure.nonRetryable(`login with ${secrets.inFailure} failed`, 'BUG');
  return {
    ...sound,
    startVm: async (...call) => Object.assign({}, await step('startVm')(...call), { host: secrets.inResult }),
    placeVm: (...call) =>
      JSON.stringify(call).includes('"refused"') ? Promise.reject(leak) : step('placeVm')(...call),
  };
}

function neverCalled(): Promise<never> {
  throw new Error('every step has its activity');
}

describe('a planted leak', () => {
  it('is found in the history and in the tables, when a failure or a result tells a secret', async () => {
    const site = await startSite({ activities: leakySteps });
    const vm = (name: string) => ({ pool: 'ams1', name, template: 'debian-12', networks: ['tenant'] });
    const refused = await site.ended((await site.request('deploy-vm', vm('refused'))).id);
    const told = await site.ended((await site.request('deploy-vm', vm('told'))).id);
    const found = findSecrets(secrets, await everythingKept(site)).map(({ secret, place }) => `${secret}: ${place}`);
    await site.stop();
    expect([refused.state, told.state]).toEqual(['failed', 'succeeded']);
    expect([...new Set(found)].sort()).toEqual(
      [
        ...[`inFailure: history of ${refused.id}`, 'inFailure: table run_events', 'inFailure: table runs'],
        ...[`inResult: history of ${told.id}`, 'inResult: table runs'],
      ].sort(),
    );
  });

  const value = `p"ss&word/${marked('form')}`;
  const bytes = Buffer.from(marked('key'));
  const json = JSON.stringify({ deep: { value } });

  it.each([
    ['plain text', value, `login with ${value} failed`],
    ['JSON', value, json],
    ['a URL', value, `https://host/?q=${encodeURIComponent(value)}`],
    ['base64, at any offset', value, Buffer.from(`a${value}`).toString('base64')],
    ['base64 for URLs', value, Buffer.from(`ab${value}`).toString('base64url')],
    ['a payload of a history', value, decoded(`{"data": "${Buffer.from(`abc${value}`).toString('base64')}"}`)],
    ['a payload of JSON', value, decoded(`{"data":"${Buffer.from(json).toString('base64')}"}`)],
    ['a binary column of PostgreSQL', bytes, `(1,"\\\\x00${bytes.toString('hex')}")`],
    ['a buffer in JSON', bytes, JSON.stringify({ key: bytes })],
    ['bytes in base64', bytes, bytes.toString('base64')],
  ])('is found in %s', (_form, secret, text) => {
    expect(findSecrets({ secret }, { text })).not.toEqual([]);
    expect(findSecrets({ secret: marked('other') }, { text })).toEqual([]);
  });
});
