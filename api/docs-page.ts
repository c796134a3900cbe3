import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Router } from 'express';
import type { Handler } from './context.ts';
import { methodNotAllowed } from './error-handler.ts';

/** Served from the installed package: the page works without the internet. */
const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Switchboard API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** A file of its own, since the page may run no inline script. No validator: it is a service on the internet. */
const START = `SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  tryItOutEnabled: true,
});
`;

/** The page draws itself with inline styles; scripts come from files only. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The documentation for people, to try requests on: /docs and its files. Links are relative, for a proxy with a prefix. */
export function docsPage(): Router {
  const router = Router();
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  router.route('/docs').get(page).all(methodNotAllowed('GET, HEAD'));
  router.route('/docs/start.js').get(start).all(methodNotAllowed('GET, HEAD'));
  for (const name of ASSETS) {
    router
      .route(`/docs/${name}`)
      .get((_request, response) => response.sendFile(name, { root }))
      .all(methodNotAllowed('GET, HEAD'));
  }
  return router;
}

const page: Handler = (_request, response) => {
  response.set('Content-Security-Policy', PAGE_POLICY).type('html').send(PAGE);
};

const start: Handler = (_request, response) => {
  response.type('js').send(START);
};
