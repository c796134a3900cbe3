import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startLab } from '../../lab/lab.ts';
import type { Lab } from '../../lab/lab.ts';
import { classes } from '../../lab/model/model.ts';
import type { ClassName } from '../../lab/model/records.ts';
import type { MessageModel } from '../../lab/model/model.ts';
import { endings, seeded, valueOf } from './contract/generated-values.ts';
import { deploy } from './with-lab.ts';
import { brokenInvariants } from './invariants.ts';
import { RawClient, post } from './raw-client.ts';

const steps = 10_000;
const checkEvery = 100;
/** VMs with disks and interfaces, to begin with. */
const deployed = 8;
/** Ten thousand calls on a busy machine. */
const timeoutMs = 240_000;

let lab: Lab;
let client: RawClient;

beforeAll(async () => {
  lab = await startLab({ seed: 7, guestSshPort: 0 });
  client = await RawClient.login(lab);
  for (let vm = 1; vm <= deployed; vm++) await deploy(client, `vm-${vm}`);
});
afterAll(() => lab.close());

/** What waits for others, who are not there, and by which a storage back end tells its size: that is believed as given. */
const unwalked = new Set(['event.next', 'event.from', 'SR.set_physical_size']);
/** What changes where and whether VMs run, and what they have; walked more often than the rest. */
const lively = new RegExp(
  [
    '^VM\\.(create|clone|snapshot|revert|provision|pool_migrate|set_memory_limits|set_VCPUs_at_startup)$',
    '^VM\\.(start|start_on|clean_shutdown|hard_shutdown|clean_reboot|suspend|resume|pause|unpause)$',
    '^(VBD|VIF|PBD)\\.(create|plug|unplug|insert|eject)$|^VDI\\.(create|resize)$|^host\\.(enable|evacuate)$',
  ].join('|'),
);

function walkable(): { readonly all: readonly MessageModel[]; readonly often: readonly MessageModel[] } {
  const unmodelled = new Set(lab.unmodelled());
  const all = [...classes.values()]
    .flatMap(({ messages }) => messages)
    .filter(
      ({ fullName, hasSession }) => hasSession && ![endings, unwalked, unmodelled].some((left) => left.has(fullName)),
    );
  return { all, often: all.filter(({ fullName }) => lively.test(fullName)) };
}

/** Mostly the few objects that came first, so that calls meet on them. */
const refsOf = (random: () => number) => (cls: ClassName) => {
  const all = lab.world.store.refs(cls);
  return random() < 0.7 ? all.slice(0, 12) : all;
};

async function call(method: string, params: readonly unknown[]): Promise<readonly string[] | undefined> {
  const { text } = await post(client.url, JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }));
  const { error } = JSON.parse(text) as { error?: { message: string; data: readonly string[] } };
  return error === undefined ? undefined : [error.message, ...error.data];
}

describe('a long walk of random calls', () => {
  it(
    `keeps every invariant over ${steps} valid and invalid calls, and never fails inside`,
    async () => {
      const random = seeded(20_261_126);
      const source = { refs: refsOf(random), ints: [0, 1, 2, 3, 2 ** 30, 2 ** 32, 2 ** 34], random };
      const { all, often } = walkable();
      const walked: string[] = [];
      let succeeded = 0;
      for (let step = 1; step <= steps; step++) {
        const pool = random() < 0.7 ? often : all;
        const message = pool[Math.floor(random() * pool.length)];
        if (message === undefined) break;
        const isBent = random() < 0.05;
        const given = message.params.map(({ type }) => valueOf(type, source));
        const args = isBent ? given.slice(1).concat('OpaqueRef:bent') : given;
        walked.push(`${message.fullName}(${JSON.stringify(args)})`);
        const error = await call(message.fullName, [client.session, ...args]);
        if (error === undefined) succeeded += 1;
        const inside = error?.some((text) => /\n\s+at /.test(text)) === true ? error : [];
        const broken = step % checkEvery === 0 ? brokenInvariants(lab.world) : [];
        if (inside.length + broken.length > 0) throw new Error([...inside, ...broken, ...walked.slice(-20)].join('\n'));
      }
      expect(succeeded).toBeGreaterThan(steps / 10);
    },
    timeoutMs,
  );
});
