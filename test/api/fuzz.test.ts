import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deployInput, send } from './support/requests.ts';
import { acceptRun } from './support/accept-run.ts';
import { openApi } from './support/rig.ts';

const BODIES = 1_000;
const DEPLOY_FIELDS = ['pool', 'name', 'template', 'networks', 'disks', 'sshAuthorizedKeys', 'userData', 'vcpus'];

const text = fc.string({ unit: 'binary', maxLength: 300 });
const anything = fc.jsonValue({ maxDepth: 4 });
const field = fc.oneof(text, anything, fc.integer(), fc.array(text, { maxLength: 3 }));
const names = fc.oneof(fc.constantFrom(...DEPLOY_FIELDS, 'uuid', 'reason', '__proto__', 'constructor'), text);
const changes = fc.dictionary(names, field, { maxKeys: 4 });

/** Good bodies, broken in up to four members; then anything; then what is no JSON. */
function broken(good: fc.Arbitrary<object>): fc.Arbitrary<string> {
  const changed = fc.tuple(good, changes).map(([base, change]) => JSON.stringify({ ...base, ...change }));
  const cut = fc.tuple(changed, fc.nat()).map(([json, at]) => json.slice(0, at % json.length));
  return fc.oneof(
    { weight: 6, arbitrary: changed },
    { weight: 2, arbitrary: anything.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: cut },
    { weight: 1, arbitrary: text },
  );
}

const { rig, api } = await openApi();

describe('whatever is sent', () => {
  it('to start a run is answered without a fault of the server, and only what was accepted has a workflow', async () => {
    const input = fc
      .tuple(fc.constantFrom({}, deployInput('fuzz')), changes)
      .map(([base, more]) => ({ ...base, ...more }));
    const operation = fc.constantFrom('deploy-vm', 'delete-vm', 'no-such');
    const accepted = new Set<string>();
    await fc.assert(
      fc.asyncProperty(broken(fc.record({ operation, input })), fc.uuid(), async (body, key) => {
        const answer = await send(`${api}/v1/runs`, { method: 'POST', body, headers: { 'idempotency-key': key } });
        expect([202, 400, 409]).toContain(answer.status);
        if (answer.status === 202) accepted.add(answer.body.run.id);
        if (answer.status === 409) accepted.add(answer.body.runId ?? '');
      }),
      { numRuns: BODIES },
    );
    const rows = await rig.db.selectFrom('runs').select(['id', 'workflow_id']).execute();
    expect(new Set(rows.map(({ id }) => id))).toEqual(accepted);
    for await (const { workflowId } of rig.client.workflow.list()) {
      expect(rows.map((row) => row.workflow_id)).toContain(workflowId);
    }
  });

  it.each(['cancel', 'retry', 'skip'])('to %s a run is answered without a fault of the server', async (verb) => {
    const { id } = await acceptRun(rig, 'deploy-vm', `fuzz-${verb}`);
    await rig.log.end(id, { state: 'cancelled', skips: [] });
    const good = fc.oneof(fc.constant({}), fc.record({ reason: text }));
    await fc.assert(
      fc.asyncProperty(broken(good), async (body) => {
        const { status } = await send(`${api}/v1/runs/${id}/${verb}`, { method: 'POST', body });
        expect([400, 409]).toContain(status);
      }),
      { numRuns: BODIES },
    );
  });
});
