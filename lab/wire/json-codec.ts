import type { ApiModel } from '../model/model.ts';
import type { Codec, DecodedCall } from './codec.ts';
import type { Printer } from './render.ts';
import { parseJson } from './json-parser.ts';
import { render } from './render.ts';
import type { Rpc, RpcStruct } from './rpc.ts';
import { MalformedBody, isStruct } from './rpc.ts';

const printer: Printer = {
  string: (value) => JSON.stringify(value),
  int: String,
  smallInt: String,
  float: (value) => (Number.isInteger(value) ? `${value}.0` : String(value)),
  bool: String,
  datetime: (value) => JSON.stringify(value),
  array: (items) => `[${items.join(',')}]`,
  struct: (members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`,
};

const malformed = (text: string) => new MalformedBody(`Jsonrpc.Malformed_method_request("${text}")`);

function readVersion(request: RpcStruct, knowsVersion2: boolean): 1 | 2 {
  if (request['jsonrpc'] === undefined || !knowsVersion2) return 1;
  if (request['jsonrpc'] !== '2.0') throw malformed("Invalid field 'jsonrpc' in request body");
  return 2;
}

function readParams(request: RpcStruct, version: 1 | 2): readonly Rpc[] {
  const params = request['params'];
  if (params === undefined && version === 1) throw malformed('Required field params is missing');
  if (params === undefined) return [];
  return Array.isArray(params) ? (params as readonly Rpc[]) : [params];
}

function decodeCall(body: string, model: ApiModel, knowsVersion2: boolean): DecodedCall {
  const request = parseJson(body);
  if (!isStruct(request)) throw malformed('Invalid request body');
  const version = readVersion(request, knowsVersion2);
  const { method, id } = request;
  if (typeof method !== 'string') throw malformed('Required field method is missing');
  const params = readParams(request, version);
  if (typeof id !== 'number' && typeof id !== 'bigint' && typeof id !== 'string')
    throw malformed("Invalid field 'id' in request body");
  const idText = typeof id === 'string' ? JSON.stringify(id) : String(id);
  return {
    method,
    params,
    success: (type, value) => {
      const result = render(printer, model, type, value);
      return version === 2
        ? `{"jsonrpc":"2.0","result":${result},"id":${idText}}`
        : `{"result":${result},"error":null,"id":${idText}}`;
    },
    failure: ([code, ...rest]) => {
      if (version === 1) return `{"result":null,"error":${JSON.stringify([code, ...rest])},"id":${idText}}`;
      const error = JSON.stringify({ code: 1, message: code, data: rest });
      return `{"jsonrpc":"2.0","error":${error},"id":${idText}}`;
    },
  };
}

/** Neither the request's version nor its id is known yet, and it is neither version's form. */
const refusal = (description: readonly string[]): string =>
  `{"jsonrpc":"2.0","error":${JSON.stringify(description)},"id":0}`;

/** JSON-RPC 1 (no `jsonrpc` member) and 2, as POST /jsonrpc speaks them: no Status/Value wrapper, 64-bit integers as numbers. */
export const jsonCodec: Codec = {
  contentType: 'application/json',
  decodeCall: (body, model) => decodeCall(body, model, true),
  refusal,
};

/** As daemons before XenServer 7.3 speak it: any request is one of JSON-RPC 1. */
export const firstJsonCodec: Codec = {
  contentType: 'application/json',
  decodeCall: (body, model) => decodeCall(body, model, false),
  refusal,
};
