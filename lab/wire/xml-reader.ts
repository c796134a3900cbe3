import { keptKey } from './ordered-keys.ts';
import type { Rpc } from './rpc.ts';
import { Base64, DateTime, Float, MalformedBody, floatOf, int64Of } from './rpc.ts';
import type { XmlElement } from './xml-parser.ts';

/**
 * Reads XML-RPC as the daemon's library does, tag by tag: whatever it does not expect where it stands makes the body
 * unreadable, a second element or text beside an element too. Source: `Xmlrpc` of rpclib, which XAPI is built with.
 */
export interface XmlCall {
  readonly method: string;
  readonly params: readonly Rpc[];
}

type Item = XmlElement | string;

const typeNames = 'int/i8/i4/boolean/double/string/dateTime.iso8601/array/struct/nil';

const parseError = (got: string, wanted: string) => new MalformedBody(`Xmlrpc.Parse_error("${got}", "${wanted}", _)`);

/** Carriage returns are not among what the library skips; in a body they have become line feeds. */
const isBlank = (text: string) => /^[\n \t]*$/.test(text);

/** What stands inside of an element, from its begin to its end. */
class Content {
  readonly #items: Item[];

  constructor({ children }: XmlElement) {
    this.#items = [];
    for (const child of children) {
      const last = this.#items.at(-1);
      if (typeof child === 'string' && typeof last === 'string') this.#items[this.#items.length - 1] = last + child;
      else if (child !== '') this.#items.push(child);
    }
  }

  get next(): Item | undefined {
    return this.#items[0];
  }

  skipBlank(): void {
    if (typeof this.next === 'string' && isBlank(this.next)) this.#items.shift();
  }

  /** The text that stands here; undefined where the element ends. */
  text(): string | undefined {
    const item = this.#items.shift();
    if (typeof item === 'object') throw parseError(`open_tag(${item.name})`, 'data');
    return item;
  }

  element(): XmlElement {
    this.skipBlank();
    const item = this.#items.shift();
    if (item === undefined) throw parseError('close_tag', 'open_tag');
    if (typeof item === 'string') throw parseError(`data(${item})`, 'open_tag');
    return item;
  }

  end(name: string): void {
    this.skipBlank();
    const item = this.next;
    if (item === undefined) return;
    throw parseError(typeof item === 'string' ? `data(${item})` : `open_tag(${item.name})`, `close_tag(${name})`);
  }
}

/** All of an element; nothing may be left when `read` is done. */
function inside<T>(element: XmlElement, read: (content: Content) => T): T {
  const content = new Content(element);
  const result = read(content);
  content.end(element.name);
  return result;
}

function named<T>(content: Content, name: string, read: (content: Content) => T): T {
  const element = content.element();
  if (element.name !== name) throw parseError(`open_tag(${element.name})`, `open_tag(${name})`);
  return inside(element, read);
}

/** The items of a list, until its element ends. */
function all<T>(content: Content, read: (content: Content) => T): T[] {
  const items: T[] = [];
  for (content.skipBlank(); content.next !== undefined; content.skipBlank()) items.push(read(content));
  return items;
}

/** An empty one takes its own end for its text, and then meets what comes next instead of it. */
function name(content: Content, tag: string): string {
  const text = named(content, tag, (inner) => inner.text());
  if (text === undefined) content.end(tag);
  return text ?? '';
}

function value(content: Content): Rpc {
  return named(content, 'value', (inner) => {
    if (inner.next === undefined) return '';
    if (typeof inner.next === 'object') return typed(inner);
    const text = inner.text() ?? '';
    return isBlank(text) && typeof inner.next === 'object' ? typed(inner) : text;
  });
}

function typed(content: Content): Rpc {
  const element = content.element();
  return inside(element, (inner) =>
    inner.next === undefined ? emptyValue(element.name) : valueOf(element.name, inner),
  );
}

function emptyValue(type: string): Rpc {
  if (type === 'string' || type === 'value') return '';
  if (type === 'array') return [];
  if (type === 'struct') return {};
  if (type === 'nil') return null;
  throw parseError(`empty_${type}`, type);
}

function valueOf(type: string, content: Content): Rpc {
  switch (type) {
    case 'int':
    case 'i8':
    case 'i4':
      return known(int64Of(content.text() ?? ''), 'Failure("Int64.of_string")');
    case 'boolean':
      return content.text() === '1';
    case 'double':
      return new Float(known(floatOf(content.text() ?? ''), 'Failure("float_of_string")'));
    case 'string':
      return content.text() ?? '';
    case 'dateTime.iso8601':
      return new DateTime(content.text() ?? '');
    case 'base64':
      return new Base64(known(base64Of(content.text() ?? ''), 'Invalid_argument("Malformed input")'));
    case 'array':
      return named(content, 'data', (data) => all(data, value));
    case 'struct':
      return Object.fromEntries(all(content, (members) => named(members, 'member', member)));
    case 'nil':
      return null;
    default:
      throw parseError(`open_tag(${type})`, `open_tag(${typeNames})`);
  }
}

function member(content: Content): [string, Rpc] {
  return [keptKey(name(content, 'name')), value(content)];
}

function known<T>(read: T | undefined, otherwise: string): T {
  if (read === undefined) throw new MalformedBody(otherwise);
  return read;
}

/** Line breaks within are malformed. */
function base64Of(text: string): string | undefined {
  const isWhole = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(text);
  return isWhole ? Buffer.from(text, 'base64').toString() : undefined;
}

/** One `<value>`. Throws MalformedBody. */
export function readValue(element: XmlElement): Rpc {
  return value(new Content({ name: '', attributes: '', children: [element] }));
}

/** A whole `<methodCall>`. Throws MalformedBody. */
export function readCall(root: XmlElement): XmlCall {
  return named(new Content({ name: '', attributes: '', children: [root] }), 'methodCall', (call) => ({
    method: name(call, 'methodName'),
    params: named(call, 'params', (params) => all(params, (content) => named(content, 'param', value))),
  }));
}
