import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { namespacePrograms } from '../../../lab/netns/requirements.ts';

it('what namespace guests need is what the launcher installs for the tests', () => {
  const launcher = readFileSync(new URL('../../../bin/tools/test-programs.js', import.meta.url), 'utf8');
  const entries = launcher.matchAll(/program: '([\w.-]+)', debianPackage: '([\w.-]+)'/g);
  const installed = Object.fromEntries([...entries].map(([, program = '', name]) => [program, name]));
  expect(installed).toMatchObject(namespacePrograms);
});
