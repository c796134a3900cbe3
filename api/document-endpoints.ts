import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { openApiDocument } from './openapi.ts';
import { isProblemCode, PROBLEMS, Problem, titleOf } from './problem.ts';
import { problemType } from './schemas.ts';

/** What the API says of itself. */
export const DOCUMENT_ENDPOINTS: readonly Endpoint[] = [
  {
    method: 'get',
    path: '/openapi.json',
    operationId: 'showOpenApi',
    summary: 'This document',
    description: 'OpenAPI 3.1; the page for people is at /docs.',
    needs: 'nothing',
    answers: { 200: { description: 'The document.', schema: z.looseObject({ openapi: z.string() }) } },
    problems: [],
    handler: (_deps, endpoints) => {
      const document = openApiDocument(endpoints);
      return (_request, response) => void response.json(document);
    },
  },
  {
    method: 'get',
    path: '/problems/{code}',
    operationId: 'showProblemType',
    summary: 'What a problem code means',
    description: 'Where the `type` of a problem document leads to.',
    needs: 'nothing',
    pathParameters: z.object({ code: z.string().meta({ example: 'RUN_CONFLICT' }) }),
    answers: { 200: { description: 'The code.', schema: problemType } },
    problems: ['NOT_FOUND'],
    handler: () => (request, response) => {
      const { code } = request.params;
      if (!isProblemCode(code)) throw new Problem('NOT_FOUND', 'There is no such problem code.');
      const { httpStatus: status, hint } = PROBLEMS[code];
      response.json({ code, title: titleOf(code), status, hint });
    },
  },
];
