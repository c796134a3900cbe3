import type { Express } from 'express';
import { notFound } from './control-answers.ts';
import type { Lab } from './lab.ts';
import { patchFile, updateIso } from './patching/update-file.ts';

/** The files that an operator of a pool would download from its vendor: a list, and each of them as a host takes it. */
export function addUpdateFiles(app: Express, lab: Lab): void {
  app.get('/update-files', (_req, res) => {
    res.json(Object.fromEntries(lab.worlds.map((world) => [world.id, world.vendor.files])));
  });
  app.get('/update-files/:pool/:uuid', (req, res) => {
    const { pool, uuid } = req.params;
    const world = lab.worlds.find(({ id }) => id === pool);
    const info = world?.vendor.files.find((file) => file.uuid === uuid);
    if (world === undefined || info === undefined)
      return notFound(res, `update file ${uuid} of pool ${pool}`, 'GET /update-files lists those that there are');
    const content = world.product.patching === 'pool_patch' ? patchFile(info) : updateIso(info);
    res.type('application/octet-stream').send(content);
  });
}
