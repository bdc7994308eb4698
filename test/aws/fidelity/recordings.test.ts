/** What is recorded is what emulators answer: recordings do not go stale. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordingOf, SUBJECTS } from '../../fidelity/script.ts';
import { Recorder } from './recorded.ts';

let recorder: Recorder | undefined;
beforeAll(async () => {
  recorder = await Recorder.started();
});
afterAll(() => recorder?.stop());

for (const subject of SUBJECTS) {
  it(`emulators answer the requests of ${subject} as they are recorded`, async () => {
    expect(await recorder?.recordingOf(subject)).toEqual(recordingOf(subject));
  });
}
