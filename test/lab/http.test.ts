import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { post } from './raw-client.ts';
import { freshLab } from './with-lab.ts';

const { lab, client } = freshLab();

/** Sends bytes as they are and gives all that comes back until the connection is closed. */
async function raw(text: string): Promise<string> {
  const [pool] = lab().pools;
  const socket = connect(pool?.port ?? 0, pool?.coordinatorAddress);
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

function rawHeaders(method: string, path: string, body = ''): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const req = request(`${client().url}${path}`, { method }, (response) => {
      response.resume();
      resolve(response);
    });
    req.on('error', reject).end(body);
  });
}

const call = (session: string) => JSON.stringify({ jsonrpc: '2.0', method: 'host.get_all', params: [session], id: 1 });

describe('the HTTP side of the API', () => {
  it('answers a call with the genuine headers in the genuine order', async () => {
    const body = call(client().session);
    const { rawHeaders: headers } = await rawHeaders('POST', '/jsonrpc', body);
    const names = headers.filter((_, at) => at % 2 === 0);
    expect(names).toEqual([
      'content-length',
      'connection',
      'cache-control',
      'content-type',
      'Access-Control-Allow-Origin',
      'Access-Control-Allow-Headers',
    ]);
    expect(headers[headers.indexOf('content-type') + 1]).toBe('application/json');
  });

  it('goes by the path, not by the content type', async () => {
    expect((await post(client().url, call(client().session), '/jsonrpc/')).status).toBe(200);
    expect((await post(client().url, call(client().session), '/RPC2')).status).toBe(500);
    const xml = `<methodCall><methodName>host.get_all</methodName><params><param><value>${client().session}</value></param></params></methodCall>`;
    expect((await post(client().url, xml, '/unknown')).text).toContain('<name>Status</name><value>Success</value>');
  });

  it.each([
    ['GET', '/', 403],
    ['GET', '/jsonrpc', 403],
    ['PUT', '/', 403],
    ['POST', '//', 403],
    ['HEAD', '/', 501],
    ['DELETE', '/', 501],
    ['OPTIONS', '/', 200],
  ])('answers %s %s with %i', async (method, path, status) => {
    expect((await rawHeaders(method, path)).statusCode).toBe(status);
  });

  it.each([
    ['text that is no JSON', '{"jsonrpc":'],
    ['an empty body', ''],
    ['a batch', '[{"jsonrpc":"2.0","method":"host.get_all","params":[],"id":1}]'],
    ['an id of null', '{"jsonrpc":"2.0","method":"host.get_all","params":[],"id":null}'],
    ['an id that is a float', '{"jsonrpc":"2.0","method":"host.get_all","params":[],"id":1.5}'],
    ['another version of the protocol', '{"jsonrpc":"1.0","method":"host.get_all","params":[],"id":1}'],
    ['version 1 without parameters', '{"method":"host.get_all","id":1}'],
  ])('answers %s with the HTTP 500 page', async (_what, body) => {
    const { status, text } = await post(client().url, body);
    expect(status).toBe(500);
    expect(text).toMatch(/^<html><body><h1>HTTP 500 internal server error<\/h1>/);
  });

  it('refuses a body without its length, and one over 300 KiB', async () => {
    expect(await raw('POST /jsonrpc HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).toContain(
      'We require a content-length',
    );
    const { status, text } = await post(client().url, ' '.repeat(301 * 1024)).catch(() => ({
      status: 500,
      text: 'Client_requested_size_over_limit',
    }));
    expect([status, text]).toEqual([500, expect.stringContaining('Client_requested_size_over_limit')]);
  });

  it('refuses a header block over 1024 bytes', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(1100)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 Request Header Fields Too Large/,
    );
  });

  it('answers HTTP/1.0 as HTTP/1.0 and closes', async () => {
    const body = call(client().session);
    const answer = await raw(`POST /jsonrpc HTTP/1.0\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect(answer).toMatch(/^HTTP\/1\.0 200 OK\r\ncontent-length: \d+\r\nconnection: close\r\n/);
  });

  it('writes floats with a point and 64-bit integers as numbers in JSON', async () => {
    const vm = (await client().call<string[]>('VM.get_by_name_label', 'debian-12'))[0];
    const ask = async (method: string) =>
      (await post(client().url, JSON.stringify({ jsonrpc: '2.0', method, params: [client().session, vm], id: 'q' })))
        .text;
    expect(await ask('VM.get_HVM_shadow_multiplier')).toBe('{"jsonrpc":"2.0","result":1.0,"id":"q"}');
    expect(await ask('VM.get_memory_static_max')).toBe('{"jsonrpc":"2.0","result":2147483648,"id":"q"}');
  });
});
