import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, type ParsedJson } from '../../../shared/api/json.ts';
import { parseYaml } from '../../../shared/control/apiserver/yaml.ts';

const apiError = expect.objectContaining({ name: 'ApiError' }) as unknown;

describe('JSON from outside', () => {
  it('is what JSON.parse makes of it', () => {
    const scalar = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.double({ noInteger: true, noNaN: true, noDefaultInfinity: true }),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 6 }, scalar, fc.array(tie('value')), tie('object')),
      object: fc.dictionary(fc.string({ unit: 'binary' }), tie('value')),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 2), (given, indent) => {
        const text = JSON.stringify(given, null, indent);
        fc.pre(!text.includes('__proto__'));
        expect(parseJson(text)).toEqual({ value: JSON.parse(text) as unknown, duplicates: [] });
      }),
    );
  });

  it('reports keys that stand twice, escaped or not', () => {
    const text = '{"a":1,"b":[{"c":1,"\\u0063":2}],"a":{"d":"\\"","d":2},"e":{"a":0}}';
    expect(parseJson(text)).toEqual({
      value: { a: { d: 2 }, b: [{ c: 2 }], e: { a: 0 } },
      duplicates: ['b[0].c', 'a', 'a.d'],
    });
  });

  it.each([
    ['an unsafe integer', '{"a":9007199254740993}'],
    ['a negative unsafe integer', '[-9007199254740993]'],
    ['an infinite number', '1e400'],
    ['a key __proto__', '{"a":[{"__proto__":{"x":1}}]}'],
    ['an escaped key __proto__', '{"\\u005f_proto__":1}'],
    ['depth', '['.repeat(65) + ']'.repeat(65)],
    ['much depth', '{"a":'.repeat(100_000)],
    ['an open string', '{"a":"'],
    ['nothing', ''],
    ['two values', '{} {}'],
    ['length', `"${'x'.repeat(1024 * 1024)}"`],
  ])('refuses %s', (_, text) => {
    expect(() => parseJson(text)).toThrow(apiError);
    expect({}).not.toHaveProperty('x');
  });

  it('keeps large numbers that are exact', () => {
    expect(parseJson('[9007199254740991,-1e308,0.1]').value).toEqual([
      9007199254740991, -1e308, 0.1,
    ]);
  });

  it('answers any text with a value or an ApiError', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', '"', ':', ',', 'a', '1', '\\', 'e', ' ', '-');
    fc.assert(
      fc.property(
        fc.array(piece).map((p) => p.join('')),
        (text) => {
          for (const parse of [parseJson, parseYaml]) attempt(parse, text);
        },
      ),
    );
  });
});

function attempt(parse: (text: string) => ParsedJson, text: string): void {
  try {
    parse(text);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ApiError' });
  }
}

describe('YAML from outside', () => {
  it('has the scalars that Go reads', () => {
    const text = [
      'a: yes\nb: off\nc: 014\nd: 0x1f\ne: 1_000\nf: 1:20\ng: 2001-01-01\nh: ~\ni: "yes"',
      'j: 1.5\nk: 0o14\n1: one\ntrue: two\nl: |\n  text\n  more',
    ].join('\n');
    expect(parseYaml(text).value).toEqual({
      ...{ a: true, b: false, c: 12, d: 31, e: 1000, f: '1:20', g: '2001-01-01', h: null },
      ...{ i: 'yes', j: 1.5, k: '0o14', '1': 'one', true: 'two', l: 'text\nmore\n' },
    });
  });

  it('may be JSON, and may be a flow of unquoted keys', () => {
    expect(parseYaml('{"a":{"b":1},"a":2}')).toEqual({ value: { a: 2 }, duplicates: ['a'] });
    expect(parseYaml('{a: {b: 1}}').value).toEqual({ a: { b: 1 } });
  });

  it('reports keys that stand twice', () => {
    expect(parseYaml('a:\n  b: 1\n  b: 2\n').duplicates).toEqual(['a.b']);
  });

  it.each([
    ['aliases', 'a: &x [1]\nb: *x'],
    ['open brackets', '['.repeat(1000)],
    ['nested lists in one line', `${'- '.repeat(5000)}a`],
    ['nested lists', Array.from({ length: 70 }, (_, i) => `${' '.repeat(i)}-`).join('\n')],
    ['deep maps', Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['keys that are lists', '? [a]\n: b'],
    ['several documents', 'a: 1\n---\nb: 2'],
    ['nothing', ''],
    ['a key __proto__', '__proto__: {x: 1}'],
    ['unsafe integers', 'a: 9007199254740993'],
    ['infinite numbers', 'a: .inf'],
    ['bad syntax', 'a: b: c'],
    ['tabs', 'a:\n\t- b'],
  ])('refuses %s', (_, text) => {
    expect(() => parseYaml(text)).toThrow(apiError);
  });
});
