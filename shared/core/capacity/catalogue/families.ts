/**
 * Facts of types, a line a family: `m7i large=0.1008 xlarge=0.2016`. What all sizes of a family
 * have in common may stand first, alone: `m7i abc metal-24xl=ab`. Families and sizes are in order,
 * so that the same facts are the same text.
 */

/** The family and the size of a type: `m7i` and `xlarge` of `m7i.xlarge`. */
export function familyAndSize(type: string): readonly [family: string, size: string] {
  const dot = type.indexOf('.');
  return [type.slice(0, dot), type.slice(dot + 1)];
}

/** A lookup by type. Reads only the lines of families that are asked for. */
export class FamilyFacts {
  readonly #lines: ReadonlyMap<string, string>;
  readonly #read = new Map<string, ReadonlyMap<string, string>>();

  constructor(lines: readonly string[]) {
    this.#lines = new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line]));
  }

  /** The fact of the type, else what its family has in common. */
  of(type: string): string | undefined {
    const [family, size] = familyAndSize(type);
    const facts = this.#family(family);
    return facts.get(size) ?? facts.get('');
  }

  #family(family: string): ReadonlyMap<string, string> {
    const known = this.#read.get(family);
    if (known) return known;
    const [, ...words] = (this.#lines.get(family) ?? '').split(' ');
    const facts = new Map(words.map((word) => pairOf(word)));
    this.#read.set(family, facts);
    return facts;
  }
}

function pairOf(word: string): [size: string, fact: string] {
  const at = word.indexOf('=');
  return at < 0 ? ['', word] : [word.slice(0, at), word.slice(at + 1)];
}

/** Lines of the facts. With `isShared`, what most sizes of a family have stands first. */
export function familyLines(facts: ReadonlyMap<string, string>, isShared: boolean): string[] {
  const families = new Map<string, [size: string, fact: string][]>();
  for (const [type, fact] of [...facts].sort(byKey)) {
    const [family, size] = familyAndSize(type);
    families.set(family, [...(families.get(family) ?? []), [size, fact]]);
  }
  return [...families].sort(byKey).map(([family, sizes]) => {
    const common = isShared ? mostFrequent(sizes.map(([, fact]) => fact)) : undefined;
    const others = sizes.filter(([, fact]) => fact !== common);
    const words = others.map(([size, fact]) => `${size}=${fact}`);
    return [family, ...(common === undefined ? [] : [common]), ...words].join(' ');
  });
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

/** The first of those that are there most often; undefined of none. */
function mostFrequent(words: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0];
}
