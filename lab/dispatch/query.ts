import { classModel } from '../model/model.ts';
import type { ClassName } from '../model/records.ts';
import type { RecordValue } from '../model/types.ts';
import type { Store } from '../world/store.ts';
import { XapiError } from '../xapi-error.ts';
import { asText } from '../model/types.ts';

type Test = (record: RecordValue) => boolean;

const tokenPattern = /^(?:"((?:[^"\\]|\\.)*)"|(field|true|false|and|or|not)\b|([=()]))/;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (let rest = text.trim(); rest !== '';) {
    const found = tokenPattern.exec(rest);
    if (found === null) throw new XapiError('INVALID_VALUE', text, 'Failure("lexing: empty token")');
    const [whole, quoted, word, symbol] = found;
    rest = rest.slice(whole.length).trim();
    tokens.push(quoted === undefined ? (word ?? symbol ?? '') : `"${quoted}`);
  }
  return tokens;
}

/** Reads the query language of get_all_records_where: `field "name__label" = "x"`, true, false, not, and, or, parentheses. */
class Parser {
  private readonly text: string;
  private readonly cls: ClassName;
  private readonly tokens: string[];

  constructor(text: string, cls: ClassName) {
    this.text = text;
    this.cls = cls;
    this.tokens = tokenize(text);
  }

  parse(): Test {
    const test = this.either();
    if (this.tokens.length > 0) throw this.syntaxError();
    return test;
  }

  private either(): Test {
    const left = this.both();
    if (this.tokens[0] !== 'or') return left;
    this.tokens.shift();
    const right = this.either();
    return (record) => left(record) || right(record);
  }

  private both(): Test {
    const left = this.single();
    if (this.tokens[0] !== 'and') return left;
    this.tokens.shift();
    const right = this.both();
    return (record) => left(record) && right(record);
  }

  private single(): Test {
    const token = this.tokens.shift();
    if (token === 'true' || token === 'false') return () => token === 'true';
    if (token === 'not') {
      const inner = this.single();
      return (record) => !inner(record);
    }
    if (token === '(') {
      const inner = this.either();
      if (this.tokens.shift() !== ')') throw this.syntaxError();
      return inner;
    }
    if (token === 'field') return this.comparison();
    throw this.syntaxError();
  }

  private comparison(): Test {
    const [name, equals, value] = this.tokens.splice(0, 3);
    if (!name?.startsWith('"') || equals !== '=' || !value?.startsWith('"')) throw this.syntaxError();
    const fieldName = name.slice(1).replaceAll('__', '_');
    if (!classModel(this.cls).field.has(fieldName)) {
      throw new XapiError('INTERNAL_ERROR', 'missing field', name.slice(1), '');
    }
    return (record) => asText(record[fieldName]) === value.slice(1);
  }

  private syntaxError(): XapiError {
    return new XapiError('INVALID_VALUE', this.text, 'Stdlib.Parsing.Parse_error');
  }
}

/** References of the objects that a query of get_all_where selects. Throws INVALID_VALUE or INTERNAL_ERROR. */
export function matching(store: Store, cls: ClassName, query: string): string[] {
  const test = new Parser(query, cls).parse();
  return [...store.entries(cls)].filter(({ record }) => test(record)).map(({ ref }) => ref);
}
