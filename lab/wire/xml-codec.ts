import type { ApiModel } from '../model/model.ts';
import type { Codec, DecodedCall } from './codec.ts';
import { keptKey } from './ordered-keys.ts';
import { render } from './render.ts';
import type { Rpc } from './rpc.ts';
import { DateTime, Float, MalformedBody, floatOf, int64Of } from './rpc.ts';
import type { XmlElement } from './xml-parser.ts';
import { parseXml } from './xml-parser.ts';
import { xmlPrinter } from './xml-printer.ts';

const parseError = (got: string, wanted: string) => new MalformedBody(`Xmlrpc.Parse_error("${got}", "${wanted}", _)`);

const elements = (parent: XmlElement): readonly XmlElement[] =>
  parent.children.filter((child): child is XmlElement => typeof child !== 'string');
const textOf = (parent: XmlElement): string => parent.children.filter((child) => typeof child === 'string').join('');

function child(parent: XmlElement, name: string): XmlElement {
  const first = elements(parent)[0];
  if (first === undefined) throw parseError('close_tag', 'open_tag');
  if (first.name !== name) throw parseError(`open_tag(${first.name})`, `open_tag(${name})`);
  return first;
}

function readInt(text: string): number | bigint {
  const value = int64Of(text.trim());
  if (value === undefined) throw new MalformedBody('Failure("Int64.of_string")');
  return value;
}

function readFloat(text: string): Float {
  const value = floatOf(text);
  if (value === undefined) throw new MalformedBody('Failure("float_of_string")');
  return new Float(value);
}

function readArray(array: XmlElement): Rpc {
  const data = elements(array).find((element) => element.name === 'data');
  return data === undefined ? [] : elements(data).map(readValue);
}

function readStruct(struct: XmlElement): Rpc {
  const members = elements(struct).map((member): [string, Rpc] => {
    const [name, value] = elements(member);
    if (name?.name !== 'name' || value === undefined) throw parseError('close_tag(member)', 'open_tag(name)');
    return [keptKey(textOf(name)), readValue(value)];
  });
  return Object.fromEntries(members);
}

const typeNames = 'int/i8/i4/boolean/double/string/dateTime.iso8601/array/struct/nil';

export function readValue(value: XmlElement): Rpc {
  const typed = elements(value)[0];
  if (typed === undefined) return textOf(value);
  switch (typed.name) {
    case 'string':
      return textOf(typed);
    case 'int':
    case 'i4':
    case 'i8':
      return readInt(textOf(typed));
    case 'boolean':
      return !['0', 'false'].includes(textOf(typed).trim());
    case 'double':
      return readFloat(textOf(typed));
    case 'dateTime.iso8601':
      return new DateTime(textOf(typed));
    case 'array':
      return readArray(typed);
    case 'struct':
      return readStruct(typed);
    case 'nil':
      return null;
    default:
      throw parseError(`open_tag(${typed.name})`, `open_tag(${typeNames})`);
  }
}

const head = '<?xml version="1.0"?><methodResponse><params><param>';
const tail = '</param></params></methodResponse>';

export function xmlFailure(description: readonly string[]): string {
  const items = xmlPrinter.array(description.map((item) => xmlPrinter.string(item)));
  return `${head}${xmlPrinter.struct([
    ['Status', xmlPrinter.string('Failure')],
    ['ErrorDescription', items],
  ])}${tail}`;
}

function decodeCall(body: string, model: ApiModel): DecodedCall {
  const root = parseXml(body);
  if (root.name !== 'methodCall') throw parseError(`open_tag(${root.name})`, 'open_tag(methodCall)');
  const [nameElement, paramsElement] = elements(root);
  if (nameElement?.name !== 'methodName') throw parseError('close_tag(methodCall)', 'open_tag(methodName)');
  const method = textOf(nameElement);
  if (method === '') throw parseError('open_tag(params)', 'close_tag(methodName)');
  if (paramsElement === undefined) throw parseError('close_tag', 'open_tag');
  return {
    method,
    params: elements(paramsElement).map((param) => readValue(child(param, 'value'))),
    success: (type, value) => {
      const members = [
        ['Status', xmlPrinter.string('Success')] as const,
        ['Value', render(xmlPrinter, model, type, value)] as const,
      ];
      return `${head}${xmlPrinter.struct(members)}${tail}`;
    },
    failure: xmlFailure,
    bare: (type, value) => `${head}${render(xmlPrinter, model, type, value)}${tail}`,
  };
}

/** XML-RPC with the API's Status/Value wrapper, as every path but /jsonrpc speaks it. */
export const xmlCodec: Codec = { contentType: 'text/xml', decodeCall, refusal: xmlFailure };
