/**
 * One test a scenario: what is played must read as it did. `npm run golden` writes the transcripts
 * anew; the difference is then what a reviewer reads.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Session } from './session.ts';

const SCENARIOS = join(import.meta.dirname, 'scenarios');
const TRANSCRIPTS = join(import.meta.dirname, 'transcripts');

describe('transcripts', () => {
  for (const file of readdirSync(SCENARIOS).sort()) {
    test(file.replace('.txt', ''), async () => {
      const transcript = join(TRANSCRIPTS, file);
      const played = await new Session().play(readFileSync(join(SCENARIOS, file), 'utf8'));
      if (process.env['UPDATE']) writeFileSync(transcript, played);
      const expected = existsSync(transcript) ? readFileSync(transcript, 'utf8') : '';
      expect(played).toBe(expected);
    });
  }

  test('each belongs to a scenario', () => {
    expect(readdirSync(TRANSCRIPTS).sort()).toEqual(readdirSync(SCENARIOS).sort());
  });
});
