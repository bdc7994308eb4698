/**
 * Passes of the scheduler in a file, a line each, for `nullplane replay`. Bounded: a file that is
 * full becomes the older one of two, and what that held before is gone.
 *
 * The file says what runs where: its owner alone may read it.
 */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RecordPass } from '../shared/control/effects.ts';
import type { MachineType } from '../shared/core/capacity/machine-type.ts';
import type { Recorder } from '../shared/ports/recorder.ts';

/** A thousand passes of a small cluster; some tens of one of 5,000 nodes. */
const MAX_BYTES = 64 * 2 ** 20;
const OWNER_ONLY = 0o600;

/** What can't be written is said, and stops nothing. */
export function passRecorder(
  path: string,
  recorder: Pick<Recorder, 'log'>,
  maxBytes = MAX_BYTES,
): RecordPass {
  mkdirSync(dirname(path), { recursive: true });
  let bytes = existsSync(path) ? statSync(path).size : 0;
  let known: readonly MachineType[] | undefined;
  const append = (value: unknown): void => {
    const line = `${JSON.stringify(value)}\n`;
    appendFileSync(path, line, { mode: OWNER_ONLY });
    bytes += Buffer.byteLength(line);
  };
  return (pass, types) => {
    try {
      if (bytes >= maxBytes) {
        renameSync(path, `${path}.old`);
        bytes = 0;
        known = undefined;
      }
      // They are the same for days, and larger than a pass.
      if (known !== types) append({ types });
      known = types;
      append(pass);
    } catch (error) {
      const fields = { error: String(error) };
      recorder.log({ level: 'error', message: 'a pass was not recorded', fields });
    }
  };
}
