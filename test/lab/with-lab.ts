import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Lab } from '../../lab/lab.ts';
import type { LabOptions } from '../../lab/start-pool.ts';
import { startLab } from '../../lab/lab.ts';
import { RawClient } from './raw-client.ts';

interface LabInUse {
  readonly lab: () => Lab;
  readonly client: () => RawClient;
}

/** A fresh lab with a logged-in client for each test of the file. */
export const freshLab = (options: LabOptions = {}): LabInUse => labBetween(beforeEach, afterEach, options);

/** One lab with a logged-in client for all tests of the file, which keep out of each other's way. */
export const sharedLab = (options: LabOptions = {}): LabInUse => labBetween(beforeAll, afterAll, options);

function labBetween(before: typeof beforeEach, after: typeof afterEach, options: LabOptions): LabInUse {
  let current: { lab: Lab; client: RawClient } | undefined;
  before(async () => {
    const lab = await startLab(options);
    current = { lab, client: await RawClient.login(lab) };
  });
  after(async () => {
    await current?.lab.close();
    current = undefined;
  });
  const started = () => {
    if (current === undefined) throw new Error('the lab is only there inside of a test');
    return current;
  };
  return { lab: () => started().lab, client: () => started().client };
}

/** The reference of the only object of that name. */
export async function byName(client: RawClient, cls: string, name: string): Promise<string> {
  const [ref] = await client.call<string[]>(`${cls}.get_by_name_label`, name);
  if (ref === undefined) throw new Error(`no ${cls} named ${name}`);
  return ref;
}

/** A halted VM made from the template. */
export async function deploy(client: RawClient, name: string): Promise<string> {
  const vm = await client.call('VM.clone', await byName(client, 'VM', 'debian-12'), name);
  await client.call('VM.provision', vm);
  return vm;
}
