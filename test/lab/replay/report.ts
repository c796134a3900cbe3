import { rules } from './rules.ts';
import type { Finding } from './run.ts';

/** `413 of 450 identical, 37 accepted by rule R1…R5 (R1 27, …), 0 different` */
export function summary(findings: readonly Finding[]): string {
  const count = (verdict: Finding['verdict']) => findings.filter((finding) => finding.verdict === verdict).length;
  const ids = rules.map(({ id }) => id);
  const byRule = ids.map((id) => `${id} ${findings.filter(({ rule }) => rule === id).length}`);
  return (
    `${count('identical')} of ${findings.length} identical, ` +
    `${count('accepted')} accepted by rule ${ids[0]}…${ids.at(-1)} (${byRule.join(', ')}), ${count('different')} different`
  );
}

export const describeDifference = ({ exchange, difference }: Finding): string =>
  `#${exchange.n} ${exchange.group}: ${exchange.label}\n${difference}`;
