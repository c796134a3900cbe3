import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { apiDocument } from '../../../api/endpoints.ts';

type Answers = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
type Methods = Readonly<Record<string, { readonly responses: Answers }>>;

const ROOT = 'https://switchboard.example/openapi.json';
/** What there is no documentation of: paths and methods that do not exist, and requests that nobody gets to see. */
const UNDOCUMENTED = [400, 401, 404, 405, 429, 503];

/** Judges answers by the OpenAPI document: status, content type and body, to the last member. */
export class Documented {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
  readonly #paths: Readonly<Record<string, Methods>>;

  constructor() {
    const document = apiDocument();
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ ...document, $id: ROOT }, ROOT, false, false);
    this.#paths = document.paths as unknown as Readonly<Record<string, Methods>>;
  }

  /** Throws with everything that the document does not say of this answer. */
  check(method: string, path: string, status: number, contentType: string | null, body: unknown): void {
    const what = `${method} ${path} → ${status}`;
    const schema = this.#schemaOf(method.toLowerCase(), path, status, contentType?.split(';')[0], what);
    if (schema === undefined) return;
    if (!schema(body)) throw new Error(`${what}: ${this.#ajv.errorsText(schema.errors)}\n${JSON.stringify(body)}`);
  }

  #schemaOf(method: string, path: string, status: number, type: string | undefined, what: string) {
    const found = Object.keys(this.#paths).find((template) => fits(template, path));
    const answers = found === undefined ? undefined : this.#paths[found]?.[method]?.responses;
    if (found === undefined || answers === undefined) {
      if (UNDOCUMENTED.includes(status)) return this.#at('/components/schemas/Problem');
      throw new Error(`${what}: the OpenAPI document has no such operation.`);
    }
    const content = answers[String(status)]?.content;
    if (answers[String(status)] === undefined) throw new Error(`${what}: the OpenAPI document has no such status.`);
    if (content === undefined) return undefined;
    if (type === undefined || !(type in content)) throw new Error(`${what}: ${type} instead of what is documented.`);
    return this.#at(
      ['', 'paths', found, method, 'responses', String(status), 'content', type, 'schema']
        .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
        .join('/'),
    );
  }

  #at(pointer: string): ValidateFunction {
    const reference = `${ROOT}#${encodeURI(pointer)}`;
    const known = this.#ajv.getSchema(reference);
    if (known === undefined) throw new Error(`The OpenAPI document has nothing at ${pointer}.`);
    return known;
  }
}

/** `/v1/runs/{id}` fits `/v1/runs/4711`. */
function fits(template: string, path: string): boolean {
  return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path);
}
