import type { Records } from '../model/records.ts';
import { MalformedBody } from '../wire/rpc.ts';
import type { XmlElement } from '../wire/xml-parser.ts';
import { parseXml } from '../wire/xml-parser.ts';
import { internalError } from '../xapi-error.ts';

type DiskType = Records['VDI']['type'];

/** One disk of a template's other_config:disks. */
export interface DiskRequest {
  readonly device: string;
  readonly sizeBytes: number;
  readonly srUuid: string;
  readonly bootable: boolean;
  readonly type: DiskType;
}

const types: readonly DiskType[] = ['system', 'user', 'ephemeral', 'suspend', 'crashdump'];

/** A document that is XML, and not the one that is wanted. */
const parseFailure = () => internalError('Xapi_templates.Parse_failure');

const isSpace = (child: XmlElement | string): boolean => typeof child === 'string' && child.trim() === '';

function diskOf(child: XmlElement | string): DiskRequest {
  if (typeof child === 'string' || child.name !== 'disk' || child.children.length > 0) throw parseFailure();
  const values = new Map(
    [...child.attributes.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name = '', double, single]) => [
      name,
      double ?? single ?? '',
    ]),
  );
  const [device, size, srUuid, bootable] = ['device', 'size', 'sr', 'bootable'].map((name) => values.get(name));
  if (device === undefined || srUuid === undefined || bootable === undefined) throw parseFailure();
  if (size === undefined || !/^-?\d+$/.test(size)) throw parseFailure();
  const type = types.find((known) => known === values.get('type')) ?? 'system';
  return { device, sizeBytes: Number(size), srUuid, bootable: bootable === 'true', type };
}

function parsed(text: string): XmlElement {
  try {
    return parseXml(text);
  } catch (error) {
    if (error instanceof MalformedBody) throw internalError(error.message);
    throw error;
  }
}

/**
 * `<provision><disk device="0" size="8589934592" sr="uuid" bootable="true" type="system"/></provision>`: all attributes of a
 * disk but its type have to be there (xen-api, ocaml/xapi/xapi_templates.ml). Throws INTERNAL_ERROR.
 */
export function parseDisks(text: string): DiskRequest[] {
  const { name, attributes, children } = parsed(text);
  if (name !== 'provision' || attributes.trim() !== '') throw parseFailure();
  return children.filter((child) => !isSpace(child)).map(diskOf);
}
