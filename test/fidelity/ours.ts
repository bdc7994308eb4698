/**
 * What our models answer where an emulator answers otherwise: nobody else vouches for these, so
 * that a change of one is to be seen. Kept in recordings/models.json.
 */
import { join } from 'node:path';
import { compare } from './differences.ts';
import { MODELS } from './models.ts';
import { play } from './play.ts';
import { type Answers, answersOf, EMULATORS, recordingOf, scriptOf, SUBJECTS } from './script.ts';

export const OURS_PATH = join(import.meta.dirname, 'recordings/models.json');

/** By subject and model. */
export type Ours = { readonly [model: string]: Answers };

export async function ours(): Promise<Ours> {
  const all: Record<string, Answers> = {};
  for (const subject of SUBJECTS) {
    const recording = recordingOf(subject);
    for (const { name, target } of MODELS[subject]) {
      const answers = await play(subject, scriptOf(subject), target);
      const differing = EMULATORS.flatMap((emulator) => {
        const { differences } = compare(answers, answersOf(recording, emulator));
        return differences.map(({ where }) => where);
      });
      const kept = [...new Set(differing)].sort().map((where) => [where, answers[where]] as const);
      all[`${subject}: ${name}`] = Object.fromEntries(kept) as Answers;
    }
  }
  return all;
}
