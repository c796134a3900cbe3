import { keptKey } from './ordered-keys.ts';
import type { Rpc } from './rpc.ts';
import { Float, MalformedBody, int64Of } from './rpc.ts';

const spacePattern = /(?:[ \t\r\n]|\/\*[\s\S]*?\*\/|\/\/[^\n]*)*/y;
const tokenPattern = /"(?:[^"\\]|\\[\s\S])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|-?[A-Za-z]+|[{}[\]:,]/y;

const words: ReadonlyMap<string, Rpc> = new Map<string, Rpc>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', new Float(NaN)],
  ['Infinity', new Float(Infinity)],
  ['-Infinity', new Float(-Infinity)],
]);

const codeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

function numberOf(token: string): Rpc {
  if (/[.eE]/.test(token)) return new Float(Number(token));
  const value = int64Of(token);
  if (value === undefined) throw new MalformedBody('Failure("Int64.of_string")');
  return value;
}

/**
 * Reads JSON as the daemon's parser does, which JSON.parse does not: 2 and 2.0 are told apart, integers have all 64 bits, of
 * two members with one name the first counts, comments and raw control characters are taken.
 */
class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Rpc {
    if (this.text.trim() === '') throw new MalformedBody('Yojson__Common.Json_error("Blank input data")');
    const value = this.value(this.next());
    this.skip(spacePattern);
    if (this.at < this.text.length) throw this.error('Junk after end of JSON value');
    return value;
  }

  private value(token: string): Rpc {
    if (token.startsWith('"')) return this.string(token);
    if (/^-?\d/.test(token)) return numberOf(token);
    if (token === '[') return this.list();
    if (token === '{') return this.struct();
    const known = words.get(token);
    if (known === undefined) throw this.error('Invalid token');
    return known;
  }

  private list(): Rpc {
    const items: Rpc[] = [];
    for (let token = this.next(); ; token = this.next()) {
      if (token === ']' && items.length === 0) return items;
      items.push(this.value(token));
      if (this.endsAt(']')) return items;
    }
  }

  private struct(): Rpc {
    const members = new Map<string, Rpc>();
    for (let token = this.next(); ; token = this.next()) {
      if (token === '}' && members.size === 0) return {};
      if (!token.startsWith('"')) throw this.error('Expected string or identifier');
      const name = keptKey(this.string(token));
      if (this.next() !== ':') throw this.error("Expected ':'");
      const value = this.value(this.next());
      if (!members.has(name)) members.set(name, value);
      if (this.endsAt('}')) return Object.fromEntries(members);
    }
  }

  private endsAt(closing: string): boolean {
    const token = this.next();
    if (token !== ',' && token !== closing) throw this.error(`Expected ',' or '${closing}'`);
    return token === closing;
  }

  private string(token: string): string {
    try {
      return JSON.parse(token.replace(/\p{Cc}/gu, codeOf)) as string;
    } catch {
      throw this.error('Invalid escape sequence');
    }
  }

  private next(): string {
    this.skip(spacePattern);
    const token = this.skip(tokenPattern);
    if (token === '') throw this.error(this.at < this.text.length ? 'Invalid token' : 'Unexpected end of input');
    return token;
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [found = ''] = pattern.exec(this.text) ?? [];
    this.at += found.length;
    return found;
  }

  private error(what: string): MalformedBody {
    const line = this.text.slice(0, this.at).split('\n').length;
    const text = `Line ${line}, bytes ${this.at - 1}-${this.at}:\n${what}`;
    return new MalformedBody(`Yojson__Common.Json_error(${JSON.stringify(text)})`);
  }
}

/** Throws MalformedBody, worded as the daemon does. */
export const parseJson = (text: string): Rpc => new Parser(text).document();
