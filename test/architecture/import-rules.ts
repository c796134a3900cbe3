import { posix } from 'node:path';
import type { ImportFact, SourceModule, SourceTree, Violation } from './source-tree.ts';

/**
 * Who may import whom: per folder the targets it may import (the first prefix that fits decides) and how.
 * What no prefix fits is refused. `*` is everything but tests and benchmarks.
 */
const MAY_IMPORT: Readonly<Record<string, readonly (readonly [prefix: string, kind: ImportFact['kind']])[]>> = {
  domain: [['domain/', 'value']],
  workflows: [
    ['workflows/', 'value'],
    ['domain/operations.ts', 'type'],
    ['domain/', 'value'],
    ['activities/', 'type'],
  ],
  activities: [
    ['activities/', 'value'],
    ['domain/', 'value'],
    ['adapters/', 'type'],
  ],
  adapters: [
    ['domain/', 'value'],
    ['adapters/', 'type'],
  ],
  api: [
    ['api/', 'value'],
    ['domain/', 'value'],
    ['adapters/postgres/', 'value'],
    ['adapters/temporal/', 'value'],
  ],
  cli: [
    ['cli/', 'value'],
    ['domain/operations.ts', 'value'],
    ['domain/', 'type'],
  ],
  lab: [['lab/', 'value']],
  bin: [
    ['bin/', 'value'],
    ...['domain/', 'workflows/', 'activities/', 'adapters/', 'api/', 'cli/'].map(
      (prefix) => [prefix, 'value'] as const,
    ),
  ],
};

/** They look at everything from outside. */
const SEES_ALL = ['test', 'bench'];
const STARTS_THE_LAB = 'bin/lab.ts';

export function checkImports(tree: SourceTree): Violation[] {
  return [...tree.modules.flatMap(checkDirection), ...checkWorkflowBundle(tree)];
}

function checkDirection(module: SourceModule): Violation[] {
  return module.imports
    .filter((fact) => fact.target !== undefined && !mayImport(module.path, fact.target, fact.kind))
    .map((fact) => ({
      rule: 'import-direction',
      path: module.path,
      message: `line ${fact.line}: ${folderOf(module.path)} may not import ${fact.kind}s from ${fact.target}`,
    }));
}

function mayImport(from: string, target: string, kind: ImportFact['kind']): boolean {
  const folder = folderOf(from);
  if (target.startsWith('test/')) return folder === 'test';
  if (target.startsWith('bench/')) return SEES_ALL.includes(folder);
  if (SEES_ALL.includes(folder) || (from === STARTS_THE_LAB && target.startsWith('lab/'))) return true;
  if (folder === 'adapters' && adapterOf(from) === adapterOf(target)) return true;
  const allowed = MAY_IMPORT[folder]?.find(([prefix]) => target.startsWith(prefix))?.[1];
  return allowed === 'value' || allowed === kind;
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

/** `adapters/xapi/pool.ts` → `adapters/xapi` */
function adapterOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

const SANDBOX_PACKAGES = /^@temporalio\/(workflow|common)(\/|$)/;

/** Follows the values that end up in the workflow bundle: a domain file that needs zod must not come along. */
function checkWorkflowBundle(tree: SourceTree): Violation[] {
  const byPath = new Map(tree.modules.map((module) => [module.path, module]));
  const queue = tree.modules.filter((module) => module.path.startsWith('workflows/'));
  const seen = new Set(queue);
  for (const module of queue) {
    for (const fact of module.imports.filter((one) => one.kind === 'value')) {
      const next = fact.target === undefined ? undefined : byPath.get(fact.target);
      if (next === undefined || seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return [...seen].flatMap(checkSandboxed);
}

function checkSandboxed(module: SourceModule): Violation[] {
  return module.imports
    .filter((fact) => fact.kind === 'value' && fact.target === undefined && !SANDBOX_PACKAGES.test(fact.specifier))
    .map((fact) => ({
      rule: 'workflow-bundle',
      path: module.path,
      message: `line ${fact.line}: brings ${fact.specifier} into the workflow bundle (${posix.basename(module.path)})`,
    }));
}
