import { DOCUMENT_ENDPOINTS } from './document-endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { HEALTH_ENDPOINTS } from './health.ts';
import { openApiDocument } from './openapi.ts';
import { RUN_ENDPOINTS } from './run-endpoints.ts';
import { STREAM_ENDPOINTS } from './streams.ts';

/** Everything the API serves but the pages for people under /docs. */
export const ENDPOINTS: readonly Endpoint[] = [
  ...RUN_ENDPOINTS,
  ...STREAM_ENDPOINTS,
  ...HEALTH_ENDPOINTS,
  ...DOCUMENT_ENDPOINTS,
];

/** The document that `GET /openapi.json` answers. */
export function apiDocument() {
  return openApiDocument(ENDPOINTS);
}
