import { createDocument } from 'zod-openapi';
import type { ZodOpenApiOperationObject, ZodOpenApiPathsObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import type { Endpoint } from './endpoint.ts';
import { PROBLEMS, titleOf } from './problem.ts';
import type { ProblemCode } from './problem.ts';
import { problem } from './schemas.ts';

/** The version of the interface, not of the program: it changes when a client has to. */
const INTERFACE_VERSION = '1.0.0';

const EVERYWHERE: readonly ProblemCode[] = ['INVALID_INPUT', 'UNEXPECTED'];
const BEHIND_TOKEN: readonly ProblemCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'STORE_UNAVAILABLE'];

const DESCRIPTION = `Start, follow, stop and understand operations of a XenServer / XCP-ng cloud.

Every refusal is a problem document (RFC 9457) whose \`code\` is stable; what a code means stands at its \`type\`.
Times are ISO 8601 in UTC. Every answer carries \`X-Request-Id\`; the log of the API has the request under it.`;

/** OpenAPI 3.1, made from the very rows and schemas that the router serves and judges by. */
export function openApiDocument(endpoints: readonly Endpoint[]) {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Switchboard',
      version: INTERFACE_VERSION,
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The server that this document came from' }],
    security: [{ token: [] }],
    tags: [
      { name: 'runs', description: 'Operations at work' },
      { name: 'server', description: 'The API itself' },
    ],
    paths: pathsOf(endpoints),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token made by `tokens create` on the server' },
      },
    },
  });
}

function pathsOf(endpoints: readonly Endpoint[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operationOf(endpoint) };
  }
  return paths;
}

function operationOf(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { operationId, summary, description, needs, pathParameters, query, headers, body } = endpoint;
  return {
    operationId,
    summary,
    description: needs === 'nothing' ? description : `${description}\n\nNeeds the permission \`${needs}\`.`,
    tags: [needs === 'nothing' ? 'server' : 'runs'],
    ...(needs === 'nothing' ? { security: [] } : {}),
    requestParams: {
      ...(pathParameters && { path: pathParameters }),
      ...(query && { query }),
      ...(headers && { header: headers }),
    },
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required,
            content: {
              'application/json': { schema: body.schema, ...(body.example !== undefined && { example: body.example }) },
            },
          },
        }),
    responses: { ...problemsOf(endpoint), ...answersOf(endpoint) },
  };
}

function answersOf({ answers }: Endpoint): ZodOpenApiResponsesObject {
  const entries = Object.entries(answers).map(([status, { description, schema, contentType, example, headers }]) => {
    const content = { [contentType ?? 'application/json']: { schema, ...(example !== undefined && { example }) } };
    return [status, { description, ...(headers && { headers }), ...(schema && { content }) }] as const;
  });
  return Object.fromEntries(entries);
}

/** One answer per status; its examples are the codes that come with it. */
function problemsOf({ needs, problems }: Endpoint): ZodOpenApiResponsesObject {
  const codes = [...EVERYWHERE, ...(needs === 'nothing' ? [] : BEHIND_TOKEN), ...problems];
  const statuses = new Set(codes.map((code) => PROBLEMS[code].httpStatus));
  const entries = [...statuses].map((status) => {
    const ofStatus = codes.filter((code) => PROBLEMS[code].httpStatus === status);
    const description = ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].hint}`).join('\n\n');
    const examples = Object.fromEntries(ofStatus.map((code) => [code, { value: exampleOf(code) }]));
    return [status, { description, content: { 'application/problem+json': { schema: problem, examples } } }] as const;
  });
  return Object.fromEntries(entries);
}

function exampleOf(code: ProblemCode) {
  return {
    type: `/problems/${code}`,
    title: titleOf(code),
    status: PROBLEMS[code].httpStatus,
    detail: 'What failed, on which object, and in what state things are now.',
    code,
    hint: PROBLEMS[code].hint,
    requestId: '8d4f6f0e-2a39-4a0e-9f0c-6a3c1d2b7e55',
  };
}
