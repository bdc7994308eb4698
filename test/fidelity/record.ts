/**
 * `npm run fidelity:record [-- subject …]`: plays the requests on both emulators and writes down
 * what they answer; what our models answer where that differs; and the table of known differences
 * into docs/fidelity.md. With `models` for a subject, emulators are not asked.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recorder } from '../aws/fidelity/recorded.ts';
import { withTable } from './known.ts';
import { ours, OURS_PATH } from './ours.ts';
import { type Answers, pathOf, type Recording, SUBJECTS } from './script.ts';

const DOCUMENT = join(import.meta.dirname, '../../docs/fidelity.md');

const asked = process.argv.slice(2);
const subjects = SUBJECTS.filter((subject) => asked.length === 0 || asked.includes(subject));

if (subjects.length > 0) await record();
const lines = Object.entries(await ours()).map(([name, answers]) => {
  return `  ${JSON.stringify(name)}: ${byLines(answers)}`;
});
writeFileSync(OURS_PATH, `{\n${lines.join(',\n')}\n}\n`);
writeFileSync(DOCUMENT, withTable(readFileSync(DOCUMENT, 'utf8')));

async function record(): Promise<void> {
  const recorder = await Recorder.started();
  try {
    for (const subject of subjects) {
      const recording = await recorder.recordingOf(subject);
      writeFileSync(pathOf('recordings', subject), textOf(recording));
      console.log(`${subject}: ${Object.keys(recording.answers).length} answers`);
    }
  } finally {
    await recorder.stop();
  }
}

function textOf({ of, answers }: Recording): string {
  return `{\n  "of": ${JSON.stringify(of)},\n  "answers": ${byLines(answers)}\n}\n`;
}

/** A line for each answer, so that a change of one is one in the history. */
function byLines(answers: Recording['answers'] | Answers): string {
  const lines = Object.entries(answers).map(([where, answer]) => {
    return `    ${JSON.stringify(where)}: ${JSON.stringify(answer)}`;
  });
  return `{\n${lines.join(',\n')}\n  }`;
}
