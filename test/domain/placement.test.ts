import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placeVm } from '../../domain/placement.ts';
import type { HostFacts, VmDemand } from '../../domain/placement.ts';
import { GIB } from '../../domain/vm.ts';

const sr = { uuid: 'sr-1', name: 'shared' };
const network = { uuid: 'net-1', name: 'tenant' };
const demand: VmDemand = { memoryBytes: 4 * GIB, vcpus: 4, srs: [sr], networks: [network] };

function host(name: string, facts: Partial<HostFacts> = {}): HostFacts {
  return {
    ...{ uuid: `uuid-${name}`, name, enabled: true, live: true, freeMemoryBytes: 8 * GIB, cpuCount: 8 },
    ...{ srUuids: [sr.uuid], networkUuids: [network.uuid] },
    ...facts,
  };
}

const anyHost: fc.Arbitrary<HostFacts> = fc.record({
  uuid: fc.uuid(),
  name: fc.string({ minLength: 1, maxLength: 8 }),
  enabled: fc.boolean(),
  live: fc.boolean(),
  freeMemoryBytes: fc.integer({ min: 0, max: 16 }).map((gib) => gib * GIB),
  cpuCount: fc.integer({ min: 1, max: 16 }),
  srUuids: fc.subarray([sr.uuid, 'sr-2']),
  networkUuids: fc.subarray([network.uuid, 'net-2']),
});

describe('placing a VM', () => {
  it('takes the host with the most free memory, so that the load spreads', () => {
    const decision = placeVm(demand, [host('a'), host('b', { freeMemoryBytes: 9 * GIB }), host('c')]);
    expect(decision.host?.name).toBe('b');
  });

  it('gives the same answer for the same facts in any order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyHost, { selector: (one) => one.name, maxLength: 6 }), (hosts) => {
        expect(placeVm(demand, hosts.toReversed()).host).toEqual(placeVm(demand, hosts).host);
      }),
    );
  });

  it('never chooses a host that lacks anything the VM needs', () => {
    fc.assert(
      fc.property(fc.array(anyHost, { maxLength: 6 }), (hosts) => {
        const { host: chosen } = placeVm(demand, hosts);
        if (chosen === undefined) return;
        expect(chosen).toMatchObject({ enabled: true, live: true });
        expect(chosen.freeMemoryBytes).toBeGreaterThanOrEqual(demand.memoryBytes);
        expect(chosen.cpuCount).toBeGreaterThanOrEqual(demand.vcpus);
        expect(chosen.srUuids).toContain(sr.uuid);
        expect(chosen.networkUuids).toContain(network.uuid);
      }),
    );
  });

  it('has a reason for every host when none fits', () => {
    fc.assert(
      fc.property(fc.array(anyHost, { maxLength: 6 }), (hosts) => {
        const decision = placeVm({ ...demand, memoryBytes: 17 * GIB }, hosts);
        expect(decision.host).toBeUndefined();
        if (decision.host !== undefined) return;
        expect(decision.reasons.map((row) => row.object)).toEqual(hosts.map((one) => one.name));
        expect(decision.reasons.every((row) => row.reason !== '')).toBe(true);
      }),
    );
  });

  it.each([
    ['a host that is down', { live: false }, 'not live (down, rebooting or cut off)'],
    ['a host in maintenance', { enabled: false }, 'disabled (maintenance)'],
    ['a host without the storage', { srUuids: [] }, 'does not see storage shared'],
    ['a host without the network', { networkUuids: [] }, 'is not on network tenant'],
    ['a host that is full', { freeMemoryBytes: GIB }, '1024 MiB free of 4096 MiB needed'],
    ['a host with too few CPUs', { cpuCount: 2 }, '2 CPUs, 4 vCPUs asked for'],
  ])('says in words why %s does not do', (_what, facts, reason) => {
    expect(placeVm(demand, [host('a', facts)])).toEqual({ host: undefined, reasons: [{ object: 'a', reason }] });
  });
});
