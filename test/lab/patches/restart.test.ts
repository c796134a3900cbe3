import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Lab } from '../../../lab/lab.ts';
import { startLab } from '../../../lab/lab.ts';
import { afterHostStart } from '../../../lab/patching/guidances.ts';
import { poolOf } from '../../../lab/scenario.ts';
import { RawClient } from '../raw-client.ts';

describe('a lab that is started again', () => {
  let folder = '';
  let lab: Lab | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lab-patches-'));
  });
  afterEach(async () => {
    await lab?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('knows which packages its hosts have and what waits for their boot', async () => {
    const options = { pools: [poolOf('xcp-ng-8.3')], stateFile: join(folder, 'state.json') };
    lab = await startLab(options);
    const [host = ''] = lab.world.store.refs('host');
    const before = await RawClient.login(lab);
    await before.call('host.call_plugin', host, 'updater.py', 'update', {});
    await lab.close();
    lab = await startLab(options);
    const after = await RawClient.login(lab);
    expect(await after.call('host.call_plugin', host, 'updater.py', 'check_update', {})).toBe('[]');
    afterHostStart(lab.world, host, true);
    expect(await after.call('host.get_software_version', host)).toMatchObject({ xapi: '25.6' });
  });
});
