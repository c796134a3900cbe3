import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { debianPrograms } from './support/postgres-server.ts';
import type { ProductionSite } from './support/production-site.ts';
import { startProductionSite } from './support/production-site.ts';

const TEST_LIMIT_MS = 570_000;
const DATABASES = ['switchboard', 'temporal', 'temporal_visibility'] as const;

function deployment(name: string) {
  return { pool: 'ams1', name, template: 'debian-12', vcpus: 1, memoryMiB: 512, networks: ['tenant'] };
}

/** Runs one of PostgreSQL's own programs against the site's server, as docs/production.md tells it. */
function postgres(site: ProductionSite, tool: string, args: readonly string[]): string {
  const env = {
    PGHOST: '127.0.0.1',
    PGPORT: String(site.postgresPort),
    PGUSER: 'postgres',
    PGPASSWORD: site.postgresPassword,
  };
  return execFileSync(join(debianPrograms(), tool), args, { env, encoding: 'utf8' });
}

describe('the backup of the databases', () => {
  let site: ProductionSite;
  let folder: string;

  beforeAll(async () => {
    site = await startProductionSite();
    folder = join(site.folder, 'backup');
    mkdirSync(folder);
  }, TEST_LIMIT_MS);

  afterAll(() => site.stop(), TEST_LIMIT_MS);

  it(
    'brings back a run that was held when it was taken, and the run goes on to its end',
    async () => {
      const barrier = site.lab.hold({ method: 'VM.start', at: 'before-effect' });
      const { id } = await site.api.start('deploy-vm', deployment('kept'), randomUUID());
      await barrier.reached;
      await site.whileProgramsAreStopped(() => {
        for (const name of DATABASES) {
          postgres(site, 'pg_dump', ['--format=custom', `--file=${join(folder, name)}`, name]);
          postgres(site, 'dropdb', ['--force', name]);
        }
        for (const name of DATABASES) {
          postgres(site, 'pg_restore', ['--create', '--exit-on-error', '--dbname=postgres', join(folder, name)]);
        }
      });
      barrier.release();
      expect(await site.api.ended(id)).toMatchObject({ state: 'succeeded' });
      const made = site.lab.world.store.records('VM').filter(([, vm]) => vm.name_label === 'kept');
      expect(made).toHaveLength(1);
    },
    TEST_LIMIT_MS,
  );
});
