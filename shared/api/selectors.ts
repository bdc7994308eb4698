/**
 * Selectors: label selectors as objects (in specs) and as text (in queries), and field selectors as
 * text. Owns their meaning and their syntax; which fields can be selected is the API server's to
 * say.
 */
import { badRequest } from './errors.ts';
import type { LabelSelector } from './kinds/affinity.ts';
import type { Labels } from './meta.ts';
import { labelValue, qualifiedName } from './names.ts';

/** A longer selector is no selector that a person or a controller wrote. */
const MAX_SELECTOR_LENGTH = 16 * 1024;

export type LabelOperator = 'in' | 'notin' | 'exists' | '!exists' | 'gt' | 'lt';

/** One requirement on one label. `values` has one entry for `gt` and `lt`, none for `exists`. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** Requirements that must all hold; none of them matches everything. */
export type LabelQuery = readonly LabelRequirement[];

export interface FieldTerm {
  readonly path: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Whether the labels meet a selector: an absent one selects nothing, an empty one everything. */
export function matchesSelector(
  selector: LabelSelector | undefined,
  labels: Labels | undefined,
): boolean {
  if (!selector) return false;
  if (selector.matchLabels && !matchesLabels(selector.matchLabels, labels)) return false;
  return (selector.matchExpressions ?? []).every((need) => matchesExpression(need, labels));
}

/** As objects name the operators; only node selectors know the last two. */
const OPERATORS = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!exists',
  Gt: 'gt',
  Lt: 'lt',
} as const;

export interface Expression {
  readonly key: string;
  readonly operator: keyof typeof OPERATORS;
  readonly values?: readonly string[];
}

/** Whether the labels meet one requirement, as objects write it. */
export function matchesExpression(
  { key, operator, values = [] }: Expression,
  labels: Labels | undefined,
): boolean {
  return meets(valueOf(labels, key), OPERATORS[operator], values);
}

/** Whether each of the labels that are required is there, with its value. */
export function matchesLabels(required: Labels, labels: Labels | undefined): boolean {
  for (const key in required) if (labels?.[key] !== required[key]) return false;
  return true;
}

export function matchesQuery(query: LabelQuery, labels: Labels | undefined): boolean {
  return query.every(({ key, operator, values }) => meets(valueOf(labels, key), operator, values));
}

/** Own fields only: every object has a `constructor`, which is no label. */
function valueOf(labels: Labels | undefined, key: string): string | undefined {
  return labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function meets(
  value: string | undefined,
  operator: LabelOperator,
  values: readonly string[],
): boolean {
  switch (operator) {
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!exists':
      return value === undefined;
    case 'gt':
      return integerOf(value) > integerOf(values[0]);
    case 'lt':
      return integerOf(value) < integerOf(values[0]);
  }
}

/** As Gt and Lt read values: NaN, which compares with nothing, for what is no integer. */
export function integerOf(text: string | undefined): number {
  return text !== undefined && /^[-+]?\d{1,19}$/.test(text) ? Number(text) : NaN;
}

/** The text form of a selector, as `kubectl get -l` takes it and as a scale status shows it. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (!selector) return '';
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const further = (selector.matchExpressions ?? []).map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${OPERATORS[operator]} (${[...(values ?? [])].sort().join(',')})`;
  });
  return [...equal.sort(), ...further].join(',');
}

/**
 * Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Throws a BadRequest that says what is wrong.
 */
export function parseLabelSelector(text: string): LabelQuery {
  checkLength(text);
  const tokens = tokenize(text);
  const query: LabelRequirement[] = [];
  let at = 0;
  while (at < tokens.length) {
    const [requirement, next] = parseRequirement(tokens, at);
    query.push(requirement);
    at = next;
    if (at === tokens.length) break;
    if (tokens[at] !== ',') throw unexpected(tokens[at], "',' or the end");
    at++;
    if (at === tokens.length) throw unexpected(undefined, 'identifier after ,');
  }
  return query;
}

function parseRequirement(tokens: readonly string[], at: number): [LabelRequirement, number] {
  if (tokens[at] === '!') {
    return [{ key: labelKey(tokens[at + 1]), operator: '!exists', values: [] }, at + 2];
  }
  const key = labelKey(tokens[at]);
  const operator = tokens[at + 1];
  switch (operator) {
    case undefined:
    case ',':
      return [{ key, operator: 'exists', values: [] }, at + 1];
    case '=':
    case '==':
    case '!=':
      return parseEquality(tokens, at, key, operator === '!=' ? 'notin' : 'in');
    case 'in':
    case 'notin':
      return parseSet(tokens, at + 2, key, operator);
    case '>':
    case '<':
      return parseComparison(key, operator, tokens[at + 2], at + 3);
    default:
      throw unexpected(operator, 'in, notin, =, ==, !=, gt, lt');
  }
}

/** `a=` means an empty value. */
function parseEquality(
  tokens: readonly string[],
  at: number,
  key: string,
  operator: 'in' | 'notin',
): [LabelRequirement, number] {
  const value = tokens[at + 2];
  if (value === undefined || value === ',') {
    return [{ key, operator, values: [''] }, at + 2];
  }
  return [{ key, operator, values: [checkedValue(value)] }, at + 3];
}

function parseSet(
  tokens: readonly string[],
  start: number,
  key: string,
  operator: 'in' | 'notin',
): [LabelRequirement, number] {
  if (tokens[start] !== '(') throw unexpected(tokens[start], '(');
  const values: string[] = [];
  let at = start + 1;
  let value = '';
  for (; tokens[at] !== ')'; at++) {
    const token = tokens[at];
    if (token === undefined) throw unexpected(undefined, "',' or ')'");
    if (token === ',') {
      values.push(value);
      value = '';
    } else if (value !== '') throw unexpected(token, "',' or ')'");
    else value = checkedValue(token);
  }
  values.push(value);
  return [{ key, operator, values: [...new Set(values)] }, at + 1];
}

function parseComparison(
  key: string,
  operator: '>' | '<',
  value: string | undefined,
  next: number,
): [LabelRequirement, number] {
  if (value === undefined || value.length > 19 || !/^[-+]?[0-9]+$/.test(value)) {
    const name = operator === '>' ? 'Gt' : 'Lt';
    throw refused(`for '${name}' operator, the value must be an integer`);
  }
  return [{ key, operator: operator === '>' ? 'gt' : 'lt', values: [value] }, next];
}

const SPECIAL = new Set(['(', ')', ',', '!', '=', '<', '>']);

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    const start = at;
    if (isSpace(char)) {
      at++;
      continue;
    }
    if (SPECIAL.has(char)) {
      at += (char === '=' || char === '!') && text[at + 1] === '=' ? 2 : 1;
    } else {
      while (at < text.length && !SPECIAL.has(text[at] ?? '') && !isSpace(text[at] ?? '')) at++;
    }
    tokens.push(text.slice(start, at));
  }
  return tokens;
}

const isSpace = (char: string) => char === ' ' || char === '\t' || char === '\n' || char === '\r';

function labelKey(token: string | undefined): string {
  if (token === undefined || SPECIAL.has(token[0] ?? '')) {
    throw unexpected(token, 'identifier');
  }
  const [complaint] = qualifiedName(token);
  if (complaint) throw refused(`key: Invalid value: ${JSON.stringify(token)}: ${complaint}`);
  return token;
}

function checkedValue(token: string): string {
  if (SPECIAL.has(token[0] ?? '')) throw unexpected(token, 'identifier');
  const [complaint] = labelValue(token);
  if (complaint) throw refused(`values: Invalid value: ${JSON.stringify(token)}: ${complaint}`);
  return token;
}

function unexpected(found: string | undefined, expected: string) {
  return refused(`found '${found ?? ''}', expected: ${expected}`);
}

function refused(why: string) {
  return badRequest(`unable to parse requirement: ${why}`);
}

function checkLength(text: string): void {
  if (text.length <= MAX_SELECTOR_LENGTH) return;
  throw badRequest(`the selector is longer than ${MAX_SELECTOR_LENGTH} characters`);
}

/** Parses `metadata.name=a,spec.nodeName!=b`; a backslash takes the next character as it is. */
export function parseFieldSelector(text: string): FieldTerm[] {
  checkLength(text);
  return splitEscaped(text)
    .filter((term) => term !== '')
    .map(parseFieldTerm);
}

function parseFieldTerm(term: string): FieldTerm {
  for (let at = 0; at < term.length; at++) {
    const next = term[at + 1];
    if (term[at] === '\\') at++;
    else if (term[at] === '!' && next === '=') return fieldTerm(term, at, '!=', at + 2);
    else if (term[at] === '=') return fieldTerm(term, at, '=', next === '=' ? at + 2 : at + 1);
  }
  throw badRequest(`invalid field selector: ${JSON.stringify(term)}; can't understand it`);
}

function fieldTerm(term: string, end: number, operator: '=' | '!=', start: number): FieldTerm {
  return { path: term.slice(0, end).trim(), operator, value: unescape(term.slice(start)) };
}

function splitEscaped(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === ',') {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unescape(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') out += text[at];
    else {
      at++;
      const next = text[at];
      if (next !== '\\' && next !== ',' && next !== '=') {
        throw badRequest(
          `invalid field selector: invalid escape sequence in ${JSON.stringify(text)}`,
        );
      }
      out += next;
    }
  }
  return out;
}
