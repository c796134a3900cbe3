import { escapeXml } from '../wire/xml-printer.ts';

/** An answer that is no API answer. */
export interface Page {
  readonly status: number;
  readonly reason: string;
  readonly body: string;
  readonly headers?: readonly (readonly [string, string])[];
}

const html = (body: string): string => `<html><body>${body}</body></html>`;

export const forbidden: Page = {
  status: 403,
  reason: 'Forbidden',
  body: html('<h1>HTTP 403 forbidden</h1>Access to the requested resource is forbidden.'),
};

export const notFound: Page = {
  status: 404,
  reason: 'Not Found',
  body: html('<h1>HTTP 404 file not found</h1>The requested file was not found.'),
};

export const requestTimeout: Page = {
  status: 408,
  reason: 'Request Timeout',
  body: html('<h1>HTTP 408 request timeout</h1>Timed out waiting for the request.'),
};

export const headersTooLarge: Page = {
  status: 431,
  reason: 'Request Header Fields Too Large',
  body: html('<h1>HTTP 431 request header fields too large</h1>Exceeded the maximum header size.'),
};

export const notImplemented = (method: string): Page => ({
  status: 501,
  reason: 'Method not implemented',
  body: html(`<h1>HTTP 501 Method Not Implemented</h1><p>Unknown ${method} not supported.<br /></p>`),
});

/** `realm` is the daemon's name of the handler. */
export const unauthorised = (realm: string): Page => ({
  status: 401,
  reason: 'Unauthorised',
  body: html('<h1>HTTP 401 unauthorised</h1>Please check your credentials and retry.'),
  headers: [['WWW-Authenticate', `Basic realm="${realm}"`]],
});

/** `exception` is shown as the daemon prints it. */
export const internalError = (exception: string): Page => ({
  status: 500,
  reason: 'Internal Error',
  body: html(
    '<h1>HTTP 500 internal server error</h1>An unexpected error occurred; please wait a while and try again. If the problem' +
      ' persists, please contact your support representative.<h1> Additional information </h1>' +
      escapeXml(exception).replaceAll("'", '&apos;'),
  ),
});

/** Head and body as they go over the wire; error pages always close the connection. */
export function pageText({ status, reason, body, headers = [] }: Page, version = '1.1'): string {
  const lines = [
    `HTTP/${version} ${status} ${reason}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'content-type: text/html',
    'connection: close',
    'cache-control: no-cache, no-store',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
