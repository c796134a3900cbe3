import { FAILURES } from '../../domain/errors.ts';
import type { FailureClass } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operations.ts';
import { exampleInput, inputTable } from './input-table.ts';
import { cell, generatedFrom, table } from './markdown.ts';
import type { Runbook, RunbookStep } from './sources.ts';

/** The runbook as an operator reads it: what to send, what happens in which order, what undo does. */
export function runbookPage(row: Operation, runbook: Runbook): string {
  const before = runbook.steps.filter((step) => !step.afterCommit);
  const after = runbook.steps.filter((step) => step.afterCommit);
  return (
    [
      generatedFrom('domain/operations.ts, the steps', runbook.path),
      `# ${row.title} (\`${row.name}\`)`,
      runbook.comment,
      `Source: [\`${runbook.path}\`](../../${runbook.path}). Needs the permission \`${row.permission}\`. ${exclusion(row)}`,
      '## Ask for it',
      'With an `Idempotency-Key` of your own, so that a repeated request finds the same run:',
      `\`\`\`http\nPOST /v1/runs\n\n${JSON.stringify({ operation: row.name, input: exampleInput(row.input) }, null, 2)}\n\`\`\``,
      inputTable(row.input, row.secretFields),
      '## Steps',
      'A failure here takes the run back: the undo of every step that was begun, latest first.',
      ...stepSections(before, 1),
      '**Point of no return.** From here on nothing is undone and cancelling is refused.',
      ...(after.length === 0
        ? []
        : ['What fails below waits for an operator: `retry` does it again, `skip` leaves it with a reason.']),
      ...stepSections(after, before.length + 1),
      '## When it fails',
      'The run shows the code, the object and the words of the pool. What each code asks of you: [failures](../failures.md).',
      '',
    ]
      .join('\n\n')
      .trimEnd() + '\n'
  );
}

function exclusion(row: Operation): string {
  return row.creates
    ? 'One run per caller and idempotency key; the name is locked while it runs.'
    : 'One run per object: a second one is refused and names the first.';
}

function stepSections(steps: readonly RunbookStep[], first: number): string[] {
  return steps.map((step, index) => {
    const undo = step.noUndo === undefined || step.afterCommit ? '' : `\n\nNothing to undo: ${step.noUndo}.`;
    return `### ${index + first}. ${step.name}\n\n${step.comment}${undo}\n\nSource: [\`${step.path}\`](../../${step.path})`;
  });
}

const CLASSES: Readonly<Record<FailureClass, string>> = {
  retry: 'repeated at once',
  wait: 'repeated until the budget of the step is used up',
  ambiguous: 'outcome unknown: looked up, then repeated',
  done: 'the wanted state is there already',
  terminal: 'not repeated',
};

export function failuresPage(): string {
  const rows = Object.entries(FAILURES).map(([code, kind]) => [
    `<a id="${code}"></a>\`${code}\``,
    CLASSES[kind.class],
    String(kind.httpStatus),
    cell(kind.hint),
  ]);
  return [
    generatedFrom('domain/errors.ts'),
    '# Failures',
    'The closed list: every run, every answer of the API and every line of the log uses these codes. A failure also names',
    'its object by name and id and, where a pool refused, the error code and parameters of XAPI.',
    '',
    table(['Code', 'A step that meets it is', 'HTTP', 'What to do'], rows),
    '',
  ].join('\n');
}
