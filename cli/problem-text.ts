import { flagFor } from './flag-names.ts';
import type { ProblemDocument } from './io.ts';
import { EXIT } from './io.ts';

/** A problem document for a person: what failed, every fault, what to do, the next command. */
export function problemText(problem: ProblemDocument): string {
  const lines = [
    `${problem.title}: ${problem.errors === undefined ? problem.detail : 'the request was refused, nothing was started.'}`,
  ];
  lines.push(...(problem.errors ?? []).map(faultLine));
  if (problem.native !== undefined) lines.push(`  native: ${problem.native.code} ${problem.native.params.join(' ')}`);
  for (const { object, reason } of problem.reasons ?? []) lines.push(`  ${object}: ${reason}`);
  lines.push(`Hint: ${problem.hint}`);
  const next = nextCommand(problem);
  if (next !== undefined) lines.push(`Next: ${next}`);
  if (problem.status === 500) lines.push(`Request id: ${problem.requestId}`);
  return lines.join('\n');
}

/** One fault of a request, at the flag that it came from. */
export function faultLine(fault: { pointer?: string; parameter?: string; message: string }): string {
  return `  ${placeOf(fault)}: ${fault.message}`;
}

export function exitCodeOfProblem({ status, code }: ProblemDocument): number {
  if (code === 'ACTION_REFUSED') return EXIT.refused;
  switch (status) {
    case 401:
    case 403:
      return EXIT.noPermission;
    case 409:
    case 422:
      return EXIT.conflict;
    case 429:
    case 503:
      return EXIT.unreachable;
    default:
      return status < 500 ? EXIT.usage : EXIT.failed;
  }
}

function nextCommand({ code, runId, ownerRunId }: ProblemDocument): string | undefined {
  if (code === 'UNAUTHENTICATED')
    return 'put a token into SWITCHBOARD_TOKEN or name its file in SWITCHBOARD_TOKEN_FILE';
  if (code === 'NOT_FOUND') return 'switchboard runs';
  if (ownerRunId !== undefined) return `switchboard watch ${ownerRunId}`;
  if (code === 'ENGINE_UNAVAILABLE' && runId !== undefined) return `switchboard watch ${runId}`;
  return runId === undefined ? undefined : `switchboard show ${runId}`;
}

/** Faults of the input are told by the flag that gave it: `/input/disks/0/sizeGiB` → `--disks (0/sizeGiB)`. */
function placeOf({ pointer, parameter }: { pointer?: string; parameter?: string }): string {
  const [first, field, ...rest] = pointer?.split('/').slice(1) ?? [];
  if (first !== 'input' || field === undefined) return parameter ?? pointer ?? '';
  return rest.length === 0 ? flagFor(field) : `${flagFor(field)} (${rest.join('/')})`;
}
