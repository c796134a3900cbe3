import { forbiddenInXml } from '../xml-characters.ts';
import { MalformedBody } from './rpc.ts';

/** An element of a parsed document; text between elements is kept, since white space in a bare value counts. */
export interface XmlElement {
  readonly name: string;
  /** As it was written. */
  readonly attributes: string;
  readonly children: readonly (XmlElement | string)[];
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const tokenPattern =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>|<(\/?)([\w.:-]+)([^<>]*?)(\/?)>|([^<]+)/;

function position(body: string): string {
  const lines = body.split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

const xmlError = (at: string, what: string) => new MalformedBody(`Xmlm.Error(${at}, "${what}")`);

function characterOf(number: string): string | undefined {
  const codePoint = Number(number.replace(/^x/, '0x'));
  const character = codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : '';
  return character === '' || forbiddenInXml.test(character) ? undefined : character;
}

/** Throws MalformedBody for a reference to an entity or a character that XML does not have. */
function decodeText(text: string, at: () => string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (_whole, name: string) => {
    const known = name.startsWith('#') ? characterOf(name.slice(1)) : entities[name];
    if (known === undefined) throw xmlError(at(), `illegal reference (${name})`);
    return known;
  });
}

interface Open {
  readonly name: string;
  readonly attributes: string;
  readonly children: (XmlElement | string)[];
}

function place(open: readonly Open[], item: XmlElement | string): void {
  open.at(-1)?.children.push(item);
}

/**
 * Reads the small part of XML that requests use, as far as the end of its root: what stands behind is not read. Throws MalformedBody with the parser's
 * position, as the daemon words it.
 */
export function parseXml(input: string): XmlElement {
  const body = input.replace(/\r\n?/g, '\n');
  if (body === '') throw xmlError('1:1', 'unexpected end of input');
  const illegal = body.search(forbiddenInXml);
  if (illegal >= 0) throw xmlError(position(body.slice(0, illegal)), 'character not allowed in XML');
  const document: Open = { name: '', attributes: '', children: [] };
  const open: Open[] = [document];
  const token = new RegExp(tokenPattern, 'y');
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const found = token.exec(body);
    if (found === null) throw xmlError(position(body), 'unexpected end of input');
    const [, cdata, closing, name = '', attributes = '', selfClosing, text] = found;
    const here = () => position(body.slice(0, at));
    if (cdata !== undefined) place(open, cdata);
    else if (text !== undefined) place(open, decodeText(text, here));
    else if (closing === '/') closeElement(open, name, here());
    else if (name !== '') {
      const element: Open = { name, attributes, children: [] };
      place(open, element);
      if (selfClosing !== '/') open.push(element);
    }
    const [root] = open.length === 1 ? document.children.filter((child) => !isWhiteSpace(child)) : [];
    if (typeof root === 'string') throw xmlError(here(), 'expected root element');
    if (root !== undefined) return root;
  }
  throw xmlError(position(body), open.length > 1 ? 'unexpected end of input' : 'expected root element');
}

function isWhiteSpace(child: XmlElement | string): boolean {
  return typeof child === 'string' && child.trim() === '';
}

function closeElement(open: Open[], name: string, at: string): void {
  const element = open.pop();
  if (element?.name !== name || open.length === 0) throw xmlError(at, `expected end tag of ${element?.name ?? name}`);
}
