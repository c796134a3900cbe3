import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LabControl } from '../../bench/deploy/lab-control.ts';
import { findOrphans } from '../../bench/deploy/orphans.ts';
import { startControl } from '../../lab/control.ts';
import type { ControlPort } from '../../lab/control.ts';
import { byName, deploy, freshLab } from '../lab/with-lab.ts';

const { lab, client } = freshLab();

describe('orphans', () => {
  let control: ControlPort;

  beforeEach(async () => {
    control = await startControl(lab(), 0);
  });

  afterEach(async () => {
    await control.close();
  });

  it('are what belongs to no wanted VM; drives, disks and interfaces of a wanted one are none', async () => {
    const port = new LabControl(control.url);
    const before = await port.snapshot();
    const wanted = await deploy(client(), 'web-1');
    const uuid = await client().call('VM.get_uuid', wanted);
    expect(findOrphans(await port.addedSince(before), new Set([uuid]))).toEqual([]);

    const disk = await client().call('VDI.create', {
      ...{ name_label: 'stray', name_description: '', SR: await byName(client(), 'SR', 'shared') },
      ...{ virtual_size: 2 ** 20, type: 'user', sharable: false, read_only: false, other_config: {} },
    });
    const orphans = findOrphans(await port.addedSince(before), new Set([uuid]));
    expect(orphans.map(({ ref, name }) => ({ ref, name }))).toEqual([{ ref: disk, name: 'stray' }]);
  });

  it('are all parts of a VM that nobody wanted', async () => {
    const port = new LabControl(control.url);
    const before = await port.snapshot();
    await deploy(client(), 'web-1');
    const added = await port.addedSince(before);
    expect(added.map(({ cls }) => cls)).toEqual(expect.arrayContaining(['VM', 'VBD', 'VDI', 'VIF']));
    expect(findOrphans(added, new Set())).toEqual(added);
  });
});
