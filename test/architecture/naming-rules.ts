import ts from 'typescript';
import type { SourceModule, SourceTree, Violation } from './source-tree.ts';
import { baseName, camelCase, isExported } from './source-tree.ts';

const KEBAB_CASE = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|generated))?$/;

export function checkNames(tree: SourceTree): Violation[] {
  return [
    ...tree.modules.filter((module) => !KEBAB_CASE.test(baseName(module.path))).map(misnamed),
    ...tree.modules.filter((module) => module.path.startsWith('activities/')).flatMap((step) => checkStep(tree, step)),
    ...tree.modules.filter((module) => /^workflows\/[^/]+\.ts$/.test(module.path)).flatMap(checkWorkflow),
    ...tree.modules
      .filter((module) => module.path === 'domain/operations.ts')
      .flatMap((one) => checkCatalogue(tree, one)),
  ];
}

function misnamed(module: SourceModule): Violation {
  return { rule: 'file-name', path: module.path, message: 'file names are kebab-case' };
}

/** A file that declares a step: exactly one, exported under the file's name, called by the same name, found by one search. */
function checkStep(tree: SourceTree, module: SourceModule): Violation[] {
  const names = topLevelConsts(module).flatMap((one) => stepName(one) ?? []);
  if (names.length === 0) return [];
  const wanted = camelCase(baseName(module.path));
  const violations: Violation[] = [];
  if (names.length > 1 || names[0] !== wanted) {
    const message = `holds the step ${wanted} and nothing else: export const ${wanted} = step({ name: '${wanted}', … }); found ${names.join(', ')}`;
    violations.push({ rule: 'step-name', path: module.path, message });
  }
  if (
    !topLevelConsts(module)
      .filter((one) => stepName(one) !== undefined)
      .every(isExplained)
  ) {
    const message =
      'its head comment says what it does, why "Repeating it is safe", and what "Undo" does (or undo: none)';
    violations.push({ rule: 'step-comment', path: module.path, message });
  }
  const hits = tree.modules.filter((one) => baseName(one.path) === baseName(module.path)).map((one) => one.path);
  if (hits.length > 1) {
    violations.push({
      rule: 'step-unique',
      path: module.path,
      message: `more than one file of this name: ${hits.join(', ')}`,
    });
  }
  return violations;
}

function topLevelConsts(module: SourceModule): ts.VariableDeclaration[] {
  return module.ast.statements.filter(ts.isVariableStatement).flatMap((one) => [...one.declarationList.declarations]);
}

/** The name of a step when constant, `name` and export agree; else what is wrong with it. */
function stepName(declaration: ts.VariableDeclaration): string | undefined {
  const call = declaration.initializer;
  if (call === undefined || !ts.isCallExpression(call) || call.expression.getText() !== 'step') return undefined;
  const constant = declaration.name.getText();
  const name = stringProperty(call.arguments[0], 'name');
  if (name !== constant) return `${constant} with the name ${String(name)}`;
  return isExported(declaration.parent.parent) ? constant : `${constant} without export`;
}

/** What the runbook pages are made of. */
function isExplained(declaration: ts.VariableDeclaration): boolean {
  const comments = ts.getJSDocCommentsAndTags(declaration.parent.parent).map((one) => one.getText());
  const text = comments.join(' ').replace(/[\s*]+/g, ' ');
  const hasUndo = !/\bundo: none\(/.test(declaration.getText());
  return text.includes('Repeating it is safe') && (!hasUndo || /\bUndo\b/.test(text));
}

function stringProperty(node: ts.Node | undefined, key: string): string | undefined {
  if (node === undefined || !ts.isObjectLiteralExpression(node)) return undefined;
  const property = node.properties.filter(ts.isPropertyAssignment).find((one) => one.name.getText() === key);
  return property !== undefined && ts.isStringLiteralLike(property.initializer) ? property.initializer.text : undefined;
}

function checkWorkflow(module: SourceModule): Violation[] {
  const wanted = camelCase(baseName(module.path));
  if (wanted === 'index') return [];
  if (module.ast.statements.some((one) => isExported(one) && declaredNames(one).includes(wanted))) return [];
  return [
    {
      rule: 'workflow-name',
      path: module.path,
      message: `a runbook exports its workflow under its own name: ${wanted}`,
    },
  ];
}

/** Of `function a() {}` or `const a = …`. */
function declaredNames(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement)) return [statement.name?.text ?? ''];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.map((one) => one.name.getText());
}

/** Every row of the catalogue: workflow of the same name, its file, its page. */
function checkCatalogue(tree: SourceTree, module: SourceModule): Violation[] {
  return catalogueRows(module.ast).flatMap(({ name, workflow }) => {
    const at = { path: module.path };
    const file = `workflows/${name}.ts`;
    const page = `docs/runbooks/${name}.md`;
    return [
      ...(workflow === camelCase(name)
        ? []
        : [{ ...at, rule: 'operation-name', message: `${name}: its workflow is ${camelCase(name)}` }]),
      ...(tree.has(file) ? [] : [{ ...at, rule: 'operation-workflow', message: `${name}: ${file} is missing` }]),
      ...(tree.has(page) ? [] : [{ ...at, rule: 'operation-runbook', message: `${name}: ${page} is missing` }]),
    ];
  });
}

function catalogueRows(ast: ts.SourceFile): { name: string; workflow: string | undefined }[] {
  const rows: { name: string; workflow: string | undefined }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'operation') {
      const name = stringProperty(node.arguments[0], 'name');
      if (name !== undefined) rows.push({ name, workflow: stringProperty(node.arguments[0], 'workflow') });
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return rows;
}
