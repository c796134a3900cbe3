import type { ApiModel } from '../model/model.ts';
import type { RecordValue } from '../model/types.ts';
import type { Derivation, Derivations } from '../world/derivations.ts';

/** Operations that came with a message: an older release lists neither. */
const messages: Readonly<Record<string, string>> = {
  sysprep: 'VM.sysprep',
  create_vtpm: 'VTPM.create',
  changing_NVRAM: 'VM.set_NVRAM',
  apply_updates: 'host.apply_updates',
};

function inTermsOf(derivation: Derivation, isKnown: (operation: string) => boolean): Derivation {
  return {
    ...derivation,
    derive: (record, store): RecordValue => {
      const derived = derivation.derive(record, store);
      const allowed = derived['allowed_operations'] as readonly string[] | undefined;
      return allowed === undefined ? derived : { ...derived, allowed_operations: allowed.filter(isKnown) };
    },
  };
}

/** The derived fields with those operations only that the release has. */
export function derivationsIn({ classes }: ApiModel, derivations: Derivations): Derivations {
  const known = new Set([...classes.values()].flatMap((cls) => cls.messages.map(({ fullName }) => fullName)));
  const isKnown = (operation: string) => {
    const message = messages[operation];
    return message === undefined || known.has(message);
  };
  return Object.fromEntries(
    Object.entries(derivations).map(([cls, derivation]) => [cls, inTermsOf(derivation, isKnown)]),
  );
}
