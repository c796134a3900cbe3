import type { ApiModel } from '../model/model.ts';
import type { Codec, DecodedCall } from './codec.ts';
import { render } from './render.ts';
import { parseXml } from './xml-parser.ts';
import { xmlPrinter } from './xml-printer.ts';
import { readCall } from './xml-reader.ts';

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
  return {
    ...readCall(parseXml(body)),
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
