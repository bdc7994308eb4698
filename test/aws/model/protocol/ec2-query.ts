/**
 * EC2's protocol. Requests are forms whose names are paths: `Filter.1.Value.2` is
 * `{ Filter: [{ Value: [_, …] }] }`. Answers are XML in which a list is an element with `item`s.
 * The model's EC2 answers are written with the element names that go over the wire.
 */
import type { AwsError } from '../errors.ts';

export type FormValue = string | FormValue[] | { [name: string]: FormValue };

export function readQuery(body: string): Record<string, FormValue> {
  const tree: Tree = new Map();
  for (const [name, value] of new URLSearchParams(body)) put(tree, name.split('.'), value);
  return toValue(tree) as Record<string, FormValue>;
}

type Tree = Map<string, Tree | string>;

function put(tree: Tree, [name = '', ...rest]: string[], value: string): void {
  if (rest.length === 0) {
    tree.set(name, value);
    return;
  }
  let inner = tree.get(name);
  if (!(inner instanceof Map)) {
    inner = new Map();
    tree.set(name, inner);
  }
  put(inner, rest, value);
}

/** A node whose names are all numbers is a list. */
function toValue(node: Tree | string): FormValue {
  if (typeof node === 'string') return node;
  const entries = [...node].map(([name, inner]) => [name, toValue(inner)] as const);
  const isList = entries.length > 0 && entries.every(([name]) => /^\d+$/.test(name));
  if (!isList) return Object.fromEntries(entries);
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value);
}

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const REQUEST_ID = '<requestId>00000000-0000-0000-0000-000000000000</requestId>';

export function writeXmlAnswer(operation: string, body: object): string {
  const root = `${operation}Response`;
  return `${PROLOGUE}<${root} xmlns="${NAMESPACE}">${REQUEST_ID}${members(body)}</${root}>`;
}

export function writeXmlError({ code, message }: AwsError): string {
  const error = `<Error><Code>${escape(code)}</Code><Message>${escape(message)}</Message></Error>`;
  return `${PROLOGUE}<Response><Errors>${error}</Errors><RequestID>0</RequestID></Response>`;
}

const PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n';

function members(value: object): string {
  return Object.entries(value)
    .map(([name, member]) => element(name, member))
    .join('');
}

function element(name: string, value: unknown): string {
  return value === undefined ? '' : `<${name}>${content(value)}</${name}>`;
}

function content(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => element('item', item)).join('');
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object' && value !== null) return members(value);
  return escape(String(value));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
