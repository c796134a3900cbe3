import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/** The folders that hold code, in the order of the house. */
const FOLDERS = ['domain', 'workflows', 'activities', 'adapters', 'api', 'cli', 'bin', 'lab', 'bench', 'test'] as const;

export interface ImportFact {
  /** As written. */
  readonly specifier: string;
  /** From the root of the tree when it is a file of ours (`domain/vm.ts`), else undefined. */
  readonly target: string | undefined;
  /** `type` leaves nothing behind at run time. */
  readonly kind: 'value' | 'type';
  readonly line: number;
}

export interface SourceModule {
  /** From the root of the tree, with forward slashes: `activities/vm/clone-vm.ts`. */
  readonly path: string;
  readonly text: string;
  readonly ast: ts.SourceFile;
  readonly imports: readonly ImportFact[];
}

export interface SourceTree {
  readonly root: string;
  readonly modules: readonly SourceModule[];
  readonly has: (path: string) => boolean;
}

export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly message: string;
}

/** Reads every source file below `root`; a folder that is not there counts as empty. */
export function readSourceTree(root: string): SourceTree {
  const paths = FOLDERS.flatMap((folder) => sourceFiles(root, folder));
  const modules = paths.map((path) => parseModule(path, readFileSync(join(root, path), 'utf8')));
  return { root, modules, has: (path) => existsSync(join(root, path)) };
}

function sourceFiles(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|js|mjs)$/.test(entry.name))
    .map((entry) => posix.relative(root, posix.join(entry.parentPath, entry.name)))
    .sort();
}

function parseModule(path: string, text: string): SourceModule {
  const ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const imports: ImportFact[] = [];
  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found !== undefined) {
      const { specifier, kind } = found;
      const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
      imports.push({ specifier, target, kind, line: lineOf(ast, node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return { path, text, ast, imports };
}

type Found = Pick<ImportFact, 'specifier' | 'kind'>;

/** `import { type A }` keeps an import at run time (verbatimModuleSyntax), so only `import type` counts as one. */
function importOf(node: ts.Node): Found | undefined {
  if (ts.isImportDeclaration(node)) {
    return literal(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return literal(node.moduleSpecifier, node.isTypeOnly);
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal, true);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0], false);
  }
  return undefined;
}

function literal(node: ts.Node | undefined, isType: boolean): Found | undefined {
  if (node === undefined || !ts.isStringLiteralLike(node)) return undefined;
  return { specifier: node.text, kind: isType ? 'type' : 'value' };
}

export function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

export function isExported(node: ts.Node): boolean {
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
}

/** `activities/vm/clone-vm.ts` → `clone-vm` */
export function baseName(path: string): string {
  return posix.basename(path).replace(/(\.d)?\.(ts|js|mjs)$/, '');
}

/** `clone-vm` → `cloneVm` */
export function camelCase(kebab: string): string {
  return kebab.replace(/-([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
