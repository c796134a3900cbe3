/** A secret and the place where it was found, in one line for a person. */
export interface Finding {
  readonly secret: string;
  readonly place: string;
  readonly form: string;
}

/** Looks for every secret in every text, in all forms that JSON, URLs and base64 give it. */
export function findSecrets(
  secrets: Readonly<Record<string, string>>,
  texts: Readonly<Record<string, string>>,
): Finding[] {
  const places = Object.entries(texts);
  return Object.entries(secrets).flatMap(([secret, value]) =>
    [...formsOf(value)].flatMap(([form, needle]) =>
      places.filter(([, text]) => text.includes(needle)).map(([place]) => ({ secret, place, form })),
    ),
  );
}

function formsOf(secret: string): Map<string, string> {
  const forms = new Map([
    ['plain', secret],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
    ['URL', encodeURIComponent(secret)],
  ]);
  // In base64 a text looks different at each of three offsets; its first and last characters depend on its neighbours.
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]).toString('base64');
    const firstOwn = Math.ceil((offset * 4) / 3);
    const needle = encoded.replace(/=+$/, '').slice(firstOwn, -2);
    if (needle.length >= 12) forms.set(`base64 at ${offset}`, needle);
  }
  return forms;
}

/** A history as text, its payloads decoded beside their base64. */
export function decoded(json: string): string {
  const payloads = [...json.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map((match) => match[1] ?? '');
  return [json, ...payloads.map((data) => Buffer.from(data, 'base64').toString('utf8'))].join('\n');
}
