import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { apiDocument } from '../../api/endpoints.ts';
import { OPERATIONS } from '../../domain/operations.ts';
import { Documented } from './support/documented.ts';
import { send } from './support/requests.ts';
import { openApi } from './support/rig.ts';

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly example?: unknown }>> };
  readonly responses: Readonly<Record<string, unknown>>;
  readonly security?: unknown[];
}

const document = apiDocument();
const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
  Object.entries(methods as Readonly<Record<string, Operation>>).map(([method, operation]) => ({
    ...{ path, method, operation },
  })),
);

const { api } = await openApi();

describe('the OpenAPI document', () => {
  it('is answered without a token', async () => {
    const { status, body } = await send(`${api}/openapi.json`, { headers: { authorization: undefined } });
    expect(status).toBe(200);
    expect(body).toEqual(JSON.parse(JSON.stringify(document)));
    expect(body['openapi']).toBe('3.1.0');
  });

  it('names the refusal of every operation behind the token, and no other is open', () => {
    const open = operations.filter(({ operation }) => operation.security !== undefined).map(({ path }) => path);
    expect(open.toSorted()).toEqual(['/healthz', '/openapi.json', '/problems/{code}', '/readyz']);
    for (const { operation } of operations.filter((one) => one.operation.security === undefined)) {
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '401', '429', '500', '503']));
    }
  });

  it('describes the input of every operation of the catalogue', () => {
    const text = JSON.stringify(document.components?.schemas?.['StartRequest']);
    for (const { name } of OPERATIONS) expect(text).toContain(`"const":"${name}"`);
  });

  it('gives examples that its own schemas accept', () => {
    const ajv = new Ajv2020({ strict: false, logger: false });
    addFormats.default(ajv);
    ajv.addSchema({ ...document, $id: 'root' }, 'root', false, false);
    const bodies = operations.flatMap(({ operation }) => operation.requestBody?.content['application/json'] ?? []);
    const examples = bodies.filter(({ example }) => example !== undefined);
    expect(examples.length).toBeGreaterThan(0);
    const judge = ajv.getSchema('root#/components/schemas/StartRequest');
    for (const { example } of examples) expect(judge?.(example)).toBe(true);
  });

  it('is what answers are judged by, to the last member', () => {
    const documented = new Documented();
    const check = (status: number, type: string, body: unknown) => () =>
      documented.check('GET', '/healthz', status, type, body);
    expect(check(200, 'application/json', { status: 'alive' })).not.toThrow();
    expect(check(200, 'application/json', { status: 'alive', more: 1 })).toThrow('additional properties');
    expect(check(200, 'application/json', {})).toThrow('required');
    expect(check(200, 'text/html', { status: 'alive' })).toThrow('text/html');
    expect(check(418, 'application/json', {})).toThrow('no such status');
    expect(() => documented.check('GET', '/nothing', 200, 'application/json', {})).toThrow('no such operation');
  });

  it('leads from every problem to what its code means', async () => {
    const refused = await send(`${api}/v1/runs`, { headers: { authorization: undefined } });
    const meaning = await send(`${api}${String(refused.body['type'])}`, { headers: { authorization: undefined } });
    expect(meaning.body).toMatchObject({ code: 'UNAUTHENTICATED', title: 'Unauthenticated', status: 401 });
    expect((await send(`${api}/problems/NOTHING`)).status).toBe(404);
  });
});

describe('the documentation page', () => {
  it('gets everything from the API itself and runs no inline script', async () => {
    const page = await fetch(`${api}/docs`);
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    expect(html).not.toMatch(/<script>|https?:\/\//);
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file ?? '');
    expect(files).toHaveLength(4);
    for (const file of files) {
      const answer = await fetch(new URL(file, `${api}/docs`));
      expect(answer.status).toBe(200);
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(100);
    }
  });

  it('takes nothing but reading', async () => {
    expect((await fetch(`${api}/docs`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${api}/docs/package.json`)).status).toBe(404);
  });
});
