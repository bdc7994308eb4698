/**
 * How a suite of cases runs on each adapter of a port, and how an adapter says which it can't keep,
 * and why.
 */
import { describe, test } from 'vitest';

export interface Skip {
  readonly test: string;
  /** Shown in the report: a case is never skipped without one. */
  readonly reason: string;
}

export type Cases = { readonly [title: string]: () => Promise<void> };

export function runCases(name: string, cases: Cases, skips: readonly Skip[] = []): void {
  const unknown = skips.filter((skip) => !(skip.test in cases));
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.map((s) => s.test).join(', ')}`);
  describe(name, () => {
    for (const [title, run] of Object.entries(cases)) {
      const skip = skips.find((candidate) => candidate.test === title);
      if (skip) test.skip(`${title} (${skip.reason})`, run);
      else test(title, run);
    }
  });
}
