/**
 * Answers without what differs from run to run: ids are numbered in the order in which they are
 * first seen, names that the world begins with are what requests call them, empty lists are absent
 * (the SDK's clients read both alike).
 */
import type { Json, JsonObject } from './script.ts';

/** By kind; the first that fits. A kind is numbered by itself. */
const IDS: readonly (readonly [string, RegExp])[] = [
  ['task', /(?<=:task\/[^/]+\/)[0-9a-f-]{32,36}/g],
  ['machine', /(?<=:container-instance\/[^/]+\/)[0-9a-f-]{32,36}/g],
  ['uuid', /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g],
  ['uuid', /\b[0-9a-f]{32}\b/g],
  ['version', /\b[34]\d{15}\b/g],
  ['instance', /\bi-[0-9a-f]{8,17}\b/g],
];
/** Each emulator has an account of its own. */
const ACCOUNTS = /\b(000000000000|123456789012)\b/g;

export class Canon {
  readonly #names: readonly (readonly [string, string])[];
  readonly #seen = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** `names` by what requests call them. */
  constructor(names: { readonly [name: string]: string }) {
    const entries = Object.entries(names).map(([name, raw]) => [`$${name}`, raw] as const);
    // The longer first: a name may be the beginning of another.
    this.#names = entries.toSorted((a, b) => b[1].length - a[1].length);
  }

  of(value: Json): Json {
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map((item) => this.of(item as Json));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value as JsonObject).map(([name, inner]) => {
      return [this.#text(name), this.of(inner)] as const;
    });
    return Object.fromEntries(entries.filter(([, inner]) => !isEmpty(inner)));
  }

  #text(raw: string): string {
    let text = raw;
    for (const [name, value] of this.#names) text = text.replaceAll(value, name);
    for (const [kind, pattern] of IDS) {
      text = text.replaceAll(pattern, (id) => this.#numbered(kind, id));
    }
    return text.replaceAll(ACCOUNTS, '<account>');
  }

  #numbered(kind: string, id: string): string {
    const known = this.#seen.get(id);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const label = `<${kind} ${count}>`;
    this.#seen.set(id, label);
    return label;
  }
}

function isEmpty(value: Json): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
