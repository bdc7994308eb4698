/**
 * Our models beside what emulators answered that others wrote: the same requests, answered alike,
 * but for differences that are known, each with its reason. A difference that has gone is taken off
 * the list.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compare, type Comparison, type Difference, isKnown, type Known } from './differences.ts';
import { KNOWN, withTable } from './known.ts';
import { MODELS } from './models.ts';
import { ours as answersThatDiffer, OURS_PATH } from './ours.ts';
import { play } from './play.ts';
import { type Answers, answersOf, EMULATORS, recordingOf, scriptOf, SUBJECTS } from './script.ts';

/** A path out of the repository, or to a machine of ours. */
const NO_SOURCE = /\.\.\/|\.md\b|https?:/;

for (const subject of SUBJECTS) {
  for (const { name, target } of MODELS[subject]) {
    describe(`${name} (${subject})`, () => {
      const known = KNOWN[subject].filter(({ model }) => model === name);
      let ours: Answers;
      beforeAll(async () => {
        ours = await play(subject, scriptOf(subject), target);
      });
      for (const emulator of EMULATORS) {
        const comparison = (): Comparison =>
          compare(ours, answersOf(recordingOf(subject), emulator));
        const own = known.filter(({ of }) => of.includes(emulator));

        it(`answers as ${emulator} does, but for what is known`, () => {
          const { differences, compared } = comparison();
          expect(compared).toBeGreaterThan(0);
          const news = differences.filter((one) => !own.some((each) => isKnown(each, one)));
          expect(news).toEqual([]);
        });

        it(`differs from ${emulator} in all that is known`, () => {
          expect(own.flatMap((each) => gone(each, comparison().differences))).toEqual([]);
        });
      }
    });
  }
}

/** The steps of a known difference in which it is not there any more. */
function gone(known: Known, differences: readonly Difference[]): string[] {
  return known.where.filter((where) => {
    return !differences.some((one) => isKnown({ ...known, where: [where] }, one));
  });
}

it('each recording is of the requests as they are', () => {
  for (const subject of SUBJECTS) {
    const { scenarios } = scriptOf(subject);
    const asked = Object.entries(scenarios).flatMap(([scenario, steps]) =>
      steps.flatMap((one) => ('step' in one ? `${scenario} / ${one.step}` : [])),
    );
    expect(Object.keys(recordingOf(subject).answers)).toEqual(asked);
  }
});

it('each known difference names a model, a reason, and a place in AWS’s documentation', () => {
  for (const subject of SUBJECTS) {
    for (const { model, of, because, source } of KNOWN[subject]) {
      expect(MODELS[subject].map(({ name }) => name)).toContain(model);
      expect([of.length, because].every(Boolean)).toBe(true);
      expect(source).toMatch(/^Amazon /);
      expect(source).not.toMatch(NO_SOURCE);
    }
  }
});

it('where they differ, models answer as was written down', async () => {
  const written: unknown = JSON.parse(readFileSync(OURS_PATH, 'utf8'));
  expect(await answersThatDiffer()).toEqual(written);
});

it('the document has the table of known differences', () => {
  const document = readFileSync(join(import.meta.dirname, '../../docs/fidelity.md'), 'utf8');
  expect(document).toBe(withTable(document));
});
