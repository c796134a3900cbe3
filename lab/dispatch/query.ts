import type { ClassName } from '../model/records.ts';
import type { RecordValue } from '../model/types.ts';
import { cellText, fieldOfColumn } from '../world/database-text.ts';
import type { Store } from '../world/store.ts';
import { XapiError } from '../xapi-error.ts';

interface Row {
  readonly ref: string;
  readonly record: RecordValue;
}
type Test = (row: Row) => boolean;
type Operand = (row: Row) => string;

/** No letter after a word ends it: the genuine lexer takes `fieldname` for `field` followed by something it does not know. */
const tokenPattern = /^(?:("[^"]*")|(field|true|false|and|or|not|[=()]))/;

const invalid = (text: string, reason: string) => new XapiError('INVALID_VALUE', text, reason);

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  for (let rest = text; ;) {
    rest = rest.replace(/^[ \t\n]+/, '');
    if (rest === '') return tokens;
    const [token] = tokenPattern.exec(rest) ?? [];
    if (token === undefined) throw invalid(text, 'Failure("lexing: empty token")');
    tokens.push(token);
    rest = rest.slice(token.length);
  }
}

/**
 * Reads the query language of get_all_records_where: `field "name__label" = "x"` with a field or a text on either side, true,
 * false, not, and, or, parentheses. `and` and `or` bind alike, from the left; `not` takes all that follows it.
 */
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
    const test = this.expression();
    if (this.tokens.length > 0) throw this.syntaxError();
    return test;
  }

  private expression(): Test {
    let test = this.single();
    for (;;) {
      const [operator] = this.tokens;
      if (operator !== 'and' && operator !== 'or') return test;
      this.tokens.shift();
      const [left, right] = [test, this.single()];
      test = operator === 'and' ? (row) => left(row) && right(row) : (row) => left(row) || right(row);
    }
  }

  private single(): Test {
    const [token] = this.tokens;
    if (token?.startsWith('"') === true || token === 'field') return this.comparison();
    this.tokens.shift();
    if (token === 'true' || token === 'false') return () => token === 'true';
    if (token === 'not') {
      const inner = this.expression();
      return (row) => !inner(row);
    }
    if (token !== '(') throw this.syntaxError();
    const inner = this.expression();
    if (this.tokens.shift() !== ')') throw this.syntaxError();
    return inner;
  }

  private comparison(): Test {
    const left = this.operand();
    if (this.tokens.shift() !== '=') throw this.syntaxError();
    const right = this.operand();
    return (row) => left(row) === right(row);
  }

  private operand(): Operand {
    const first = this.tokens.shift();
    const isField = first === 'field';
    const quoted = isField ? this.tokens.shift() : first;
    if (quoted?.startsWith('"') !== true) throw this.syntaxError();
    const text = quoted.slice(1, -1);
    return isField ? this.column(text) : () => text;
  }

  /** A field that is not there is noticed only when an object is looked at. */
  private column(name: string): Operand {
    if (name === '_ref' || name === 'ref') return ({ ref }) => ref;
    const field = fieldOfColumn(this.cls, name);
    return ({ record }) => {
      if (field === undefined) throw new XapiError('INTERNAL_ERROR', 'missing field', name, '');
      return cellText(field.type, record[field.name] ?? field.initial);
    };
  }

  private syntaxError(): XapiError {
    return invalid(this.text, 'Stdlib.Parsing.Parse_error');
  }
}

/** References of the objects that a query of get_all_where selects. Throws INVALID_VALUE or INTERNAL_ERROR. */
export function matching(store: Store, cls: ClassName, query: string): string[] {
  const test = new Parser(query, cls).parse();
  return [...store.entries(cls)].filter(test).map(({ ref }) => ref);
}
