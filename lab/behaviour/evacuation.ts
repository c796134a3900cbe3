import type { Call, Handlers } from '../dispatch/call.ts';
import { nullRef } from '../world/identities.ts';
import type { World } from '../world/world.ts';
import { XapiError } from '../xapi-error.ts';
import { evacuationPlan } from './evacuation-plan.ts';
import { guestsOn } from './host-support.ts';
import { assertMigrationNetwork, poolMigrate } from './migration.ts';
import { asSubtask } from './sub-call.ts';

const usualBatch = 10;

/** Each guest that cannot go, with what keeps it. */
function reasons(world: World, host: string): (readonly [string, readonly string[]])[] {
  return [...evacuationPlan(world, host)].flatMap(([vm, fate]) => ('error' in fate ? [[vm, fate.error] as const] : []));
}

/** Where each guest goes. Throws what keeps the first one that cannot go. */
function plannedMoves(world: World, host: string): (readonly [string, string])[] {
  return [...evacuationPlan(world, host)].map(([vm, fate]) => {
    if ('to' in fate) return [vm, fate.to] as const;
    const [code = '', ...params] = fate.error;
    throw new XapiError(code, ...params);
  });
}

/** A VM that was stopped meanwhile is no obstacle any more. */
function assertMoved(outcome: PromiseSettledResult<void>): void {
  if (outcome.status === 'fulfilled') return;
  const reason: unknown = outcome.reason;
  if (!(reason instanceof XapiError && reason.code === 'VM_BAD_POWER_STATE')) throw reason;
}

async function evacuate(call: Call, host: string, network: string, batchSize: number): Promise<void> {
  const { world } = call;
  const moves = plannedMoves(world, host);
  const options = { live: 'true', ...(network === nullRef ? {} : { network }) };
  if (network !== nullRef) for (const [, target] of moves) assertMigrationNetwork(world, network, target);
  for (let at = 0; at < moves.length; at += batchSize) {
    const batch = moves.slice(at, at + batchSize);
    const outcomes = await Promise.allSettled(
      batch.map(([vm, target]) => asSubtask(call, 'VM.pool_migrate', (part) => poolMigrate(part, vm, target, options))),
    );
    for (const outcome of outcomes) assertMoved(outcome);
    call.progress(Math.min(at + batchSize, moves.length) / (moves.length + 1));
  }
  const left = guestsOn(world, host).length;
  if (left > 0) throw new XapiError('INTERNAL_ERROR', `evacuate: ${left} VMs are still resident on ${host}`);
}

export const evacuationBehaviour: Handlers = {
  'host.evacuate': (call, host, network = nullRef, batchSize = 0) => {
    if (batchSize < 0) throw new XapiError('INVALID_VALUE', 'evacuate_batch_size', String(batchSize));
    const operation = { cls: 'host', ref: host, name: 'evacuate', id: call.operationId, signal: call.signal } as const;
    return call.world.operations.run({ ...operation, check: () => undefined }, call.cancel, () =>
      evacuate(call, host, network, batchSize === 0 ? usualBatch : batchSize),
    );
  },
  'host.get_vms_which_prevent_evacuation': ({ world }, host) => Object.fromEntries(reasons(world, host)),
  'host.assert_can_evacuate': ({ world }, host) => {
    const found = reasons(world, host).map(([, error]) => error.join(','));
    if (found.length > 0) throw new XapiError('CANNOT_EVACUATE_HOST', found.join('|'));
  },
};
