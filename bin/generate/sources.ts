import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** One line of a runbook: a step, before or after the point of no return. */
export interface RunbookStep {
  readonly name: string;
  /** From the root of the repository: `activities/vm/clone-vm.ts`. */
  readonly path: string;
  /** What it does, why repeating it is safe, what its undo looks for: the head comment, as paragraphs. */
  readonly comment: string;
  /** Why there is nothing to undo; undefined when the step has an undo. */
  readonly noUndo: string | undefined;
  readonly afterCommit: boolean;
}

export interface Runbook {
  /** `workflows/deploy-vm.ts` */
  readonly path: string;
  readonly comment: string;
  readonly steps: readonly RunbookStep[];
}

/** Reads a runbook and its steps from their sources below `root`; throws a sentence when one does not keep the form. */
export function readRunbook(root: string, operation: string): Runbook {
  const path = `workflows/${operation}.ts`;
  const ast = parse(root, path);
  const calls = sagaCalls(ast);
  const committedAt = calls.findIndex((call) => call.verb === 'commit');
  if (committedAt === -1) throw new Error(`${path}: saga.commit() is missing, the point of no return.`);
  const steps = calls.flatMap(({ step }, index) =>
    step === undefined ? [] : [readStep(root, path, step, index > committedAt)],
  );
  return { path, comment: exportedComment(ast, path), steps };
}

function parse(root: string, path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.ES2023, true);
}

interface SagaCall {
  readonly verb: string;
  readonly step: string | undefined;
}

/** `saga.step('cloneVm', …)`, `saga.finish('destroyVm', …)` and `saga.commit()`, in the order of the text. */
function sagaCalls(ast: ts.SourceFile): SagaCall[] {
  const calls: SagaCall[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression, name } = node.expression;
      const [first] = node.arguments;
      const step = first !== undefined && ts.isStringLiteral(first) ? first.text : undefined;
      if (expression.getText() === 'saga') calls.push({ verb: name.text, step });
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return calls;
}

function readStep(root: string, runbook: string, name: string, afterCommit: boolean): RunbookStep {
  const file = `${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.ts`;
  const entries = readdirSync(join(root, 'activities'), { recursive: true, encoding: 'utf8' });
  const found = entries.map((entry) => entry.replaceAll('\\', '/')).find((entry) => entry.endsWith(`/${file}`));
  if (found === undefined) throw new Error(`${runbook}: step ${name} has no file activities/*/${file}.`);
  const path = `activities/${found}`;
  const ast = parse(root, path);
  return { name, path, comment: exportedComment(ast, path), noUndo: noUndoReason(ast), afterCommit };
}

/** The comment above the exported constant or function. */
function exportedComment(ast: ts.SourceFile, path: string): string {
  const exported = ast.statements.filter((one) => ts.isVariableStatement(one) || ts.isFunctionDeclaration(one));
  const commented = exported
    .filter((one) => (one.modifiers ?? []).some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword))
    .flatMap((one) => ts.getJSDocCommentsAndTags(one).filter(ts.isJSDoc));
  const text = ts.getTextOfJSDocComment(commented[0]?.comment)?.trim();
  if (text === undefined || text === '')
    throw new Error(`${path}: the head comment is missing (what, why twice is safe, undo).`);
  return text;
}

/** The reason in `undo: none('…')`. */
function noUndoReason(ast: ts.SourceFile): string | undefined {
  const visit = (node: ts.Node): string | undefined => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'none') {
      const [reason] = node.arguments;
      if (reason !== undefined && ts.isStringLiteralLike(reason)) return reason.text;
    }
    return ts.forEachChild(node, visit);
  };
  return visit(ast);
}
