import { MalformedBody } from './rpc.ts';

/** An element of a parsed document; text between elements is kept, since white space in a bare value counts. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly (XmlElement | string)[];
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decodeText(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);/g, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    return entities[name] ?? whole;
  });
}

const tokenPattern =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE[^>]*>|<(\/?)([\w.:-]+)[^<>]*?(\/?)>|([^<]+)/;

function position(body: string): string {
  const lines = body.split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

const xmlError = (at: string, what: string) => new MalformedBody(`Xmlm.Error(${at}, "${what}")`);

interface Open {
  readonly name: string;
  readonly children: (XmlElement | string)[];
}

function place(open: readonly Open[], item: XmlElement | string): void {
  open.at(-1)?.children.push(item);
}

/** Reads the small part of XML that requests use. Throws MalformedBody with the parser's position, as the daemon words it. */
export function parseXml(input: string): XmlElement {
  const body = input.replace(/\r\n?/g, '\n');
  if (body === '') throw xmlError('1:1', 'unexpected end of input');
  if (!body.trimStart().startsWith('<')) throw xmlError('1:1', 'expected root element');
  const document: Open = { name: '', children: [] };
  const open: Open[] = [document];
  const token = new RegExp(tokenPattern, 'y');
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const found = token.exec(body);
    if (found === null) throw xmlError(position(body), 'unexpected end of input');
    const [, cdata, closing, name = '', selfClosing, text] = found;
    if (cdata !== undefined) place(open, cdata);
    else if (text !== undefined) place(open, decodeText(text));
    else if (closing === '/') closeElement(open, name, position(body.slice(0, at)));
    else if (name !== '') {
      const element: Open = { name, children: [] };
      place(open, element);
      if (selfClosing !== '/') open.push(element);
    }
  }
  if (open.length > 1) throw xmlError(position(body), 'unexpected end of input');
  const root = document.children.find((child) => typeof child !== 'string');
  if (root === undefined) throw xmlError('1:1', 'expected root element');
  return root;
}

function closeElement(open: Open[], name: string, at: string): void {
  const element = open.pop();
  if (element?.name !== name || open.length === 0) throw xmlError(at, `expected end tag of ${element?.name ?? name}`);
}
