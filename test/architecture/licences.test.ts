import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { productionLicences, unnamedLicences } from './licences.ts';

const notice = '- lent (AGPL-3.0-or-later): pulled in by another package.\n';

describe('licences of what is installed in production', () => {
  it('are permissive, or the package is named in NOTICE', () => {
    const packages = productionLicences(process.cwd());

    expect(packages.map((one) => one.name)).toEqual(expect.arrayContaining(['xen-api', 'express', 'ssh2']));
    expect(unnamedLicences(packages, readFileSync('NOTICE', 'utf8'))).toEqual([]);
  });

  it('accepts a package under other terms that NOTICE names', () => {
    expect(unnamedLicences([{ name: 'lent', licence: 'AGPL-3.0-or-later' }], notice)).toEqual([]);
  });

  it.each([
    ['a package that NOTICE does not name', { name: 'borrowed', licence: 'GPL-3.0-only' }],
    ['a package whose licence NOTICE states otherwise', { name: 'lent', licence: 'SSPL-1.0' }],
    ['a package that declares no licence', { name: 'mute', licence: '' }],
  ])('refuses %s', (_what, found) => {
    expect(unnamedLicences([found], notice)).toHaveLength(1);
  });
});
