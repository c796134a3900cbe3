import { tableOf } from '../report.ts';
import type { LabCall } from './lab-control.ts';

/** Calls per VM by method, as sent and without the prefix of asynchronous ones. */
interface Effect {
  readonly sent: ReadonlySet<string>;
  readonly perVm: number;
}

export interface EffectComparison {
  /** For people: method, calls per VM on both sides, what a difference of the two means. */
  readonly table: string;
  /** The methods whose counts differ: the two sides did not do the same work, so that no ratio says anything. */
  readonly differing: readonly string[];
}

/** Not marked as an effect by the lab, but a connection that both sides owe to every VM. */
const KEY_EXCHANGE = 'ssh.connect';

/** Whether two sides did the same to the pool for each of their VMs. */
export function compareEffects(
  product: readonly LabCall[],
  productVms: number,
  plain: readonly LabCall[],
  plainVms: number,
): EffectComparison {
  const left = effectsOf(product, productVms);
  const right = effectsOf(plain, plainVms);
  const methods = [...new Set([...left.keys(), ...right.keys()])].sort();
  const differing = methods.filter((method) => left.get(method)?.perVm !== right.get(method)?.perVm);
  const rows = methods.map((method) => {
    const [ours, theirs] = [left.get(method), right.get(method)];
    return [method, countOf(ours), countOf(theirs), note(differing.includes(method), ours)];
  });
  return { table: tableOf([['effect calls per VM', 'product', 'plain script', ''], ...rows]), differing };
}

function effectsOf(calls: readonly LabCall[], vms: number): Map<string, Effect> {
  const effects = calls.filter(({ method, mutating }) => mutating || method === KEY_EXCHANGE);
  const sent = new Map<string, string[]>();
  for (const { method } of effects) {
    const name = method.replace(/^Async\./, '');
    sent.set(name, [...(sent.get(name) ?? []), method]);
  }
  return new Map([...sent].map(([name, all]) => [name, { sent: new Set(all), perVm: all.length / vms }]));
}

function countOf(effect: Effect | undefined): string {
  return String(effect?.perVm ?? 0);
}

function note(differs: boolean, product: Effect | undefined): string {
  if (differs) return 'DIFFERS';
  const isTask = [...(product?.sent ?? [])].some((method) => method.startsWith('Async.'));
  return isTask ? 'as a task (Async.)' : '';
}
