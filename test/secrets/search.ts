/** A secret and the place where it was found, in one line for a person. */
export interface Finding {
  readonly secret: string;
  readonly place: string;
  readonly form: string;
}

export type Secrets = Readonly<Record<string, string | Buffer>>;

/** Looks for every secret in every text, in all forms that JSON, URLs, base64 and PostgreSQL give it. */
export function findSecrets(secrets: Secrets, texts: Readonly<Record<string, string>>): Finding[] {
  const places = Object.entries(texts);
  return Object.entries(secrets).flatMap(([secret, value]) =>
    [...formsOf(value)].flatMap(([form, needle]) =>
      places.filter(([, text]) => text.includes(needle)).map(([place]) => ({ secret, place, form })),
    ),
  );
}

function formsOf(secret: string | Buffer): Map<string, string> {
  const bytes = Buffer.from(secret);
  const forms = new Map([
    // As PostgreSQL shows binary columns, and as JSON shows buffers.
    ['hex', bytes.toString('hex')],
    ['numbers', [...bytes].join(',')],
  ]);
  if (typeof secret === 'string') {
    forms.set('plain', secret);
    forms.set('JSON', JSON.stringify(secret).slice(1, -1));
    forms.set('URL', encodeURIComponent(secret));
  }
  // In base64 a text looks different at each of three offsets; its first and last characters depend on its neighbours.
  for (const offset of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const needle = encoded.slice(Math.ceil((offset * 4) / 3), -2);
    forms.set(`base64 at ${offset}`, needle);
    forms.set(`base64url at ${offset}`, needle.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

/** A history as text, its payloads decoded beside their base64. */
export function decoded(json: string): string {
  const payloads = [...json.matchAll(/"data":\s*"([A-Za-z0-9+/=]+)"/g)].map((match) => match[1] ?? '');
  return [json, ...payloads.map((data) => Buffer.from(data, 'base64').toString('utf8'))].join('\n');
}
