import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Plot } from './plant.ts';
import { makePlot } from './plant.ts';

describe('the other checks, with one violation planted', () => {
  let plot: Plot;

  beforeEach(() => {
    plot = makePlot();
  });

  afterEach(() => plot.remove());

  const checkTypes = () => plot.run('typescript/bin/tsc', '--noEmit', '-p', '.');
  const checkFormat = () => plot.run('prettier/bin/prettier.cjs', '--check', '--log-level=warn', 'domain');
  const checkUnused = () => plot.run('knip/bin/knip.js');

  it('accepts well-typed code', () => {
    plot.plant('domain/vm.ts', "export const name: string = 'web-01';\n");

    expect(checkTypes()).toEqual({ status: 0, output: '' });
  });

  it.each([
    ['a wrong type', 'export const name: string = 1;\n', 'TS2322'],
    ['an unchecked element', 'export const first = (names: string[]): string => names[0];\n', 'TS2322'],
    ['a name nobody uses', 'export {};\nconst unused = 1;\n', 'TS6133'],
    ['an enum', 'export enum State {\n  On,\n}\n', 'TS1294'],
    [
      'a type imported as a value',
      "import { Vm } from './vm-type.ts';\nexport const vm: Vm = { name: '' };\n",
      'TS1484',
    ],
  ])('refuses %s (tsc)', (_what, text, code) => {
    plot.plant('domain/vm-type.ts', 'export interface Vm {\n  name: string;\n}\n');
    plot.plant('domain/vm.ts', text);

    const { status, output } = checkTypes();

    expect(status).not.toBe(0);
    expect(output).toContain(code);
  });

  it('accepts formatted code', () => {
    plot.plant('domain/vm.ts', "export const name = 'web-01';\n");

    expect(checkFormat().status).toBe(0);
  });

  it('refuses code in another format (prettier)', () => {
    plot.plant('domain/vm.ts', 'export const name = "web-01"\n');

    const { status, output } = checkFormat();

    expect(status).toBe(1);
    expect(output).toContain('domain/vm.ts');
  });

  it('accepts an export that a composition root uses', () => {
    plot.plant('domain/vm.ts', 'export const used = 1;\n');
    plot.plant('bin/api.ts', "import { used } from '../domain/vm.ts';\n\nconsole.log(used);\n");

    expect(checkUnused().output).not.toContain('domain/vm.ts');
  });

  it('refuses an export that nobody uses (knip)', () => {
    plot.plant('domain/vm.ts', 'export const used = 1;\nexport const forgotten = 2;\n');
    plot.plant('bin/api.ts', "import { used } from '../domain/vm.ts';\n\nconsole.log(used);\n");

    const { status, output } = checkUnused();

    expect(status).toBe(1);
    expect(output).toMatch(/forgotten .*domain\/vm\.ts/);
  });

  it('refuses a file that nobody uses (knip)', () => {
    plot.plant('domain/vm.ts', 'export const forgotten = 1;\n');

    const { status, output } = checkUnused();

    expect(status).toBe(1);
    expect(output).toMatch(/Unused files[^]*domain\/vm\.ts/);
  });
});
