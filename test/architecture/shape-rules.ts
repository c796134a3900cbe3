import ts from 'typescript';
import type { SourceModule, SourceTree, Violation } from './source-tree.ts';
import { isExported, lineOf } from './source-tree.ts';

const INDEXES = ['activities/index.ts', 'workflows/index.ts'];
const MAX_WORKFLOW_LINES = 120;
const MAX_KIT_LINES = 300;
const MAX_MEDIAN_FUNCTION_LINES = 12;

export function checkShape(tree: SourceTree): Violation[] {
  const production = tree.modules.filter((module) => !module.path.startsWith('test/') && !isScript(module));
  return [
    ...tree.modules.flatMap(checkReExports),
    ...production.flatMap(checkModuleState),
    ...checkWorkflowSizes(tree),
    ...checkMedian(production),
  ];
}

/** A generator that runs once, by hand. */
function isScript(module: SourceModule): boolean {
  return module.path.endsWith('.mjs');
}

/** A thing is imported from the file that makes it, so that there is one way to it. */
function checkReExports(module: SourceModule): Violation[] {
  if (INDEXES.includes(module.path)) return [];
  return module.ast.statements
    .filter((one) => ts.isExportDeclaration(one) && one.moduleSpecifier !== undefined)
    .map((one) => violation('barrel', module, one, `only ${INDEXES.join(' and ')} pass on what others export`));
}

function violation(rule: string, module: SourceModule, node: ts.Node, message: string): Violation {
  return { rule, path: module.path, message: `line ${lineOf(module.ast, node)}: ${message}` };
}

/** State belongs to an instance that somebody constructs and can construct twice. */
function checkModuleState(module: SourceModule): Violation[] {
  const report = (node: ts.Node, what: string) => violation('module-state', module, node, what);
  const variables = module.ast.statements.filter(ts.isVariableStatement);
  const declarations = variables.flatMap((one) => [...one.declarationList.declarations]);
  const reassignable = variables.filter((one) => (one.declarationList.flags & ts.NodeFlags.Const) === 0);
  return [
    ...reassignable.map((one) => report(one, 'a variable of the module')),
    ...declarations
      .filter(isOpenCollection)
      .map((one) => report(one, `${one.name.getText()} can be changed by others`)),
    ...declarations
      .filter((one) => isMutated(module.ast, one.name.getText()))
      .map((one) => report(one, `${one.name.getText()} is changed after it was made`)),
    ...classStatics(module.ast).map((one) => report(one, `static ${one.name.getText()} is not readonly`)),
  ];
}

/** An exported Map, Set or array that its type does not protect. */
function isOpenCollection(declaration: ts.VariableDeclaration): boolean {
  const value = declaration.initializer;
  if (value === undefined || !isExported(declaration.parent.parent)) return false;
  const isCollection =
    ts.isArrayLiteralExpression(value) ||
    (ts.isNewExpression(value) && /^(Map|Set|Array)$/.test(value.expression.getText()));
  return isCollection && !/^readonly\b|^Readonly/.test(declaration.type?.getText() ?? '');
}

const MUTATORS = /^(set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill)$/;

/** Whether the file calls a mutating method on the constant or assigns to a part of it. */
function isMutated(ast: ts.SourceFile, name: string): boolean {
  const concerns = (node: ts.Node) =>
    (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) && node.expression.getText() === name;
  const visit = (node: ts.Node): boolean => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      if (concerns(node.expression) && MUTATORS.test(node.expression.name.text) && isCollectionName(ast, name))
        return true;
    }
    if (ts.isBinaryExpression(node) && isAssignment(node) && concerns(node.left)) return true;
    if (ts.isDeleteExpression(node) && concerns(node.expression)) return true;
    return ts.forEachChild(node, (child) => visit(child) || undefined) ?? false;
  };
  return visit(ast);
}

function isAssignment(node: ts.BinaryExpression): boolean {
  const kind = node.operatorToken.kind;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** `app.set(…)` of some object is its own business; a Map, Set or array of this module is ours. */
function isCollectionName(ast: ts.SourceFile, name: string): boolean {
  const declarations = ast.statements
    .filter(ts.isVariableStatement)
    .flatMap((one) => [...one.declarationList.declarations]);
  const value = declarations.find((one) => one.name.getText() === name)?.initializer;
  return value !== undefined && (ts.isArrayLiteralExpression(value) || ts.isNewExpression(value));
}

function classStatics(ast: ts.SourceFile): ts.PropertyDeclaration[] {
  const members = ast.statements.filter(ts.isClassDeclaration).flatMap((one) => [...one.members]);
  const has = (node: ts.PropertyDeclaration, kind: ts.SyntaxKind) =>
    (node.modifiers ?? []).some((one) => one.kind === kind);
  return members
    .filter(ts.isPropertyDeclaration)
    .filter((one) => has(one, ts.SyntaxKind.StaticKeyword) && !has(one, ts.SyntaxKind.ReadonlyKeyword));
}

function checkWorkflowSizes({ modules }: SourceTree): Violation[] {
  const workflows = modules.filter((module) => module.path.startsWith('workflows/'));
  const kit = workflows.filter((module) => module.path.startsWith('workflows/kit/'));
  const long = workflows.filter((module) => !kit.includes(module) && linesOf(module) > MAX_WORKFLOW_LINES);
  const kitLines = kit.reduce((sum, module) => sum + linesOf(module), 0);
  return [
    ...long.map((module) => ({
      rule: 'workflow-size',
      path: module.path,
      message: `${linesOf(module)} lines; a runbook that is read aloud has ${MAX_WORKFLOW_LINES} at most`,
    })),
    ...(kitLines <= MAX_KIT_LINES
      ? []
      : [{ rule: 'kit-size', path: 'workflows/kit', message: `${kitLines} lines in all; ${MAX_KIT_LINES} at most` }]),
  ];
}

function linesOf(module: SourceModule): number {
  return module.text.replace(/\n$/, '').split('\n').length;
}

function checkMedian(modules: readonly SourceModule[]): Violation[] {
  const lengths = modules.flatMap((module) => functionLengths(module.ast)).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  if (median <= MAX_MEDIAN_FUNCTION_LINES) return [];
  const message = `half of all functions have ${median} lines or more; ${MAX_MEDIAN_FUNCTION_LINES} at most`;
  return [{ rule: 'function-median', path: '.', message }];
}

/** Of functions with a block; an arrow around one expression would only flatter the figure. */
function functionLengths(ast: ts.SourceFile): number[] {
  const lengths: number[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined && ts.isBlock(node.body)) {
      lengths.push(ast.getLineAndCharacterOfPosition(node.end).line + 2 - lineOf(ast, node));
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return lengths;
}
