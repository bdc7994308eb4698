import { describe, expect, it } from 'vitest';
import * as names from '../../../shared/api/names.ts';

type Check = (text: string) => names.Complaints;

const long = (length: number) => 'a'.repeat(length);

const TABLE: [string, Check, string[], string[]][] = [
  ['labels', names.dns1123Label, ['a', '0', 'a-b', long(63)], ['', 'A', '-a', 'a.b', long(64)]],
  [
    'subdomains',
    names.dns1123Subdomain,
    ['a', 'a.b', '0.a-b', long(253)],
    ['', '.', 'a.', 'a..b', 'a.-b', 'A', 'a_b', 'a\n', long(254)],
  ],
  ['DNS-1035 labels', names.dns1035Label, ['a', 'a-0'], ['0a', 'a.b', '', 'a-']],
  [
    'qualified names',
    names.qualifiedName,
    ['a', 'A_b.c', 'example.com/A', `${long(253)}/${long(63)}`],
    ['', '/', 'a/', '/a', 'a/b/c', 'A.com/a', '-a', long(64), `${long(254)}/a`, '__proto__'],
  ],
  ['label values', names.labelValue, ['', 'a', '1.2_3-4'], ['-', 'a b', 'a/b', long(64)]],
  ['config keys', names.configKey, ['a', '.a', '_', 'a..b'], ['', '.', '..', '..a', 'a/b']],
  ['variable names', names.envVarName, ['A', 'a.b', '1', 'a b'], ['', 'a=b', 'é', '\n']],
  ['port names', names.portName, ['http', 'a-1'], ['1', '-a', 'a-', 'a--b', 'HTTP', long(16)]],
];

describe('names', () => {
  it.each(TABLE)('%s', (_, check, good, bad) => {
    for (const text of good) expect(check(text), text).toEqual([]);
    for (const text of bad) expect(check(text), text).not.toEqual([]);
  });

  it('complain in the words of Kubernetes', () => {
    expect(names.dns1123Subdomain('Web')).toEqual([
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' " +
        "or '.', and must start and end with an alphanumeric character (e.g. 'example.com', " +
        'regex used for validation is ' +
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ]);
    expect(names.dns1123Label(long(64))).toEqual(['must be no more than 63 bytes']);
  });
});
