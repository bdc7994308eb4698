/**
 * The cluster query language, the part that constraints and list filters use: subjects, `==`,
 * `!=`, `in [..]`, `!in`, `=~`, `exists`, `!exists`, `and`, `or`, `not`, brackets. What it does not
 * know it refuses, rather than take it for true.
 */
import { clientError } from '../errors.ts';
import type { InstanceRecord } from './state.ts';

export type Predicate = (instance: InstanceRecord) => boolean;

const TOKEN = /\s*(\[|\]|\(|\)|,|==|!=|=~|!~|&&|\|\||!in\b|!exists\b|!|[^\s[\](),=!~]+)/y;

export function compile(expression: string): Predicate {
  const parser = new Parser(tokensOf(expression), expression);
  const predicate = parser.either();
  parser.end();
  return predicate;
}

function tokensOf(expression: string): string[] {
  const tokens: string[] = [];
  const text = expression.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (!match) throw invalidExpression(expression);
    tokens.push(match[1] as string);
  }
  return tokens;
}

function invalidExpression(expression: string) {
  return clientError(`Invalid expression: ${expression}`);
}

class Parser {
  readonly #tokens: string[];
  readonly #expression: string;

  constructor(tokens: string[], expression: string) {
    this.#tokens = tokens;
    this.#expression = expression;
  }

  either(): Predicate {
    let left = this.#both();
    while (this.#take('or', '||')) {
      const [first, second] = [left, this.#both()];
      left = (instance) => first(instance) || second(instance);
    }
    return left;
  }

  #both(): Predicate {
    let left = this.#one();
    while (this.#take('and', '&&')) {
      const [first, second] = [left, this.#one()];
      left = (instance) => first(instance) && second(instance);
    }
    return left;
  }

  #one(): Predicate {
    if (this.#take('not', '!')) {
      const inner = this.#one();
      return (instance) => !inner(instance);
    }
    if (!this.#take('(')) return this.#comparison();
    const inner = this.either();
    this.#expect(')');
    return inner;
  }

  #comparison(): Predicate {
    const subject = this.#subject(this.#next());
    const operator = this.#next();
    if (operator === 'exists') return (instance) => subject(instance) !== undefined;
    if (operator === '!exists') return (instance) => subject(instance) === undefined;
    const values = operator === 'in' || operator === '!in' ? this.#list() : [this.#next()];
    const pattern = operator === '=~' || operator === '!~' ? new RegExp(values[0] ?? '') : /^/;
    const tests: Record<string, (value: string | undefined) => boolean> = {
      '==': (value) => value === values[0],
      '!=': (value) => value !== values[0],
      in: (value) => value !== undefined && values.includes(value),
      '!in': (value) => value === undefined || !values.includes(value),
      '=~': (value) => value !== undefined && pattern.test(value),
      '!~': (value) => value === undefined || !pattern.test(value),
    };
    const test = tests[operator];
    if (!test) throw invalidExpression(this.#expression);
    return (instance) => test(subject(instance));
  }

  #subject(name: string): (instance: InstanceRecord) => string | undefined {
    if (name === 'ec2InstanceId') return (instance) => instance.ec2InstanceId;
    if (name === 'agentConnected') return (instance) => String(instance.agentConnected);
    if (name.startsWith('attribute:')) {
      const attribute = name.slice('attribute:'.length);
      return (instance) => instance.attributes.get(attribute);
    }
    throw invalidExpression(this.#expression);
  }

  #list(): string[] {
    this.#expect('[');
    const values = [this.#next()];
    while (this.#take(',')) values.push(this.#next());
    this.#expect(']');
    return values;
  }

  #take(...wanted: string[]): boolean {
    if (!wanted.includes(this.#tokens[0] ?? '')) return false;
    this.#tokens.shift();
    return true;
  }

  #next(): string {
    const token = this.#tokens.shift();
    if (token === undefined) throw invalidExpression(this.#expression);
    return token;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw invalidExpression(this.#expression);
  }

  end(): void {
    if (this.#tokens.length > 0) throw invalidExpression(this.#expression);
  }
}
