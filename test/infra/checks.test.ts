/**
 * cdk-nag's AwsSolutions rules: what they find in the stack is what `infra/suppressions.ts` argues,
 * and nothing else, in both directions: no finding without a reason, no reason without a finding.
 */
import { describe, expect, it } from 'vitest';
import { optionsOf } from '../../infra/options.ts';
import { suppressions } from '../../infra/suppressions.ts';
import { synthesize } from './support/synthesis.ts';

/** The defaults, and a stack in which every choice that matters to the rules is another. */
const CHOICES: readonly { readonly [name: string]: unknown }[] = [
  {},
  {
    api: 'http',
    network: 'private',
    tracing: true,
    exec: true,
    containerInsights: true,
    customerManagedKey: true,
    reservedConcurrency: true,
    alarmEmail: 'ops@example.com',
    deletionProtection: false,
  },
];

describe.each(CHOICES)('cdk-nag with %j', (context) => {
  const { findings } = synthesize(context, true);

  it('finds what was argued, and nothing else', () => {
    const argued = suppressions(optionsOf(context)).map(({ at, rule, finding }) => {
      return `${at} ${rule}${finding === undefined ? '' : `[${finding}]`}`;
    });
    // A finding is about a resource, whose construct stands one or two levels deeper.
    const found = findings.map(({ at, rule }) => {
      const parent = argued.find(
        (line) => at.startsWith(line.split(' ')[0] ?? '') && isOf(line, rule),
      );
      return parent ?? `${at} ${rule}`;
    });
    expect([...new Set(found)].sort()).toEqual([...argued].sort());
  });

  it('each argument is a sentence', () => {
    for (const { reason } of suppressions(optionsOf(context))) {
      expect(reason.length).toBeGreaterThan(20);
    }
  });
});

function isOf(line: string, rule: string): boolean {
  return line.endsWith(` ${rule.replace('AwsSolutions-', '')}`);
}
