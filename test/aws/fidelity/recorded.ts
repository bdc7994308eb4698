/** What both emulators answer to the scripts. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { play } from '../../fidelity/play.ts';
import {
  EMULATORS,
  merged,
  type Recording,
  scriptOf,
  type Subject,
} from '../../fidelity/script.ts';
import {
  type Emulator,
  type EmulatorName,
  installed,
  startEmulator,
} from '../support/emulators.ts';
import { emulated } from './emulated.ts';

export class Recorder {
  readonly #of: Recording['of'];
  readonly #emulators: readonly Emulator[];

  private constructor(emulators: readonly Emulator[]) {
    this.#of = versions();
    this.#emulators = emulators;
  }

  static async started(): Promise<Recorder> {
    return new Recorder(await Promise.all(EMULATORS.map((name) => startEmulator(name))));
  }

  async recordingOf(subject: Subject): Promise<Recording> {
    const script = scriptOf(subject);
    const [ministack = {}, moto = {}] = await Promise.all(
      this.#emulators.map((emulator) => play(subject, script, emulated(subject, emulator))),
    );
    return { of: this.#of, answers: merged({ ministack, moto }) };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#emulators.map((emulator) => emulator.stop()));
  }
}

function versions(): { readonly [name in EmulatorName]: string } {
  const pip = join(installed(), 'bin', 'python');
  const list = execFileSync(pip, ['-m', 'pip', 'list', '--format=json'], { encoding: 'utf8' });
  const packages = JSON.parse(list) as { readonly name: string; readonly version: string }[];
  const of = (name: string) => packages.find((one) => one.name === name)?.version ?? '';
  return { ministack: of('ministack'), moto: of('moto') };
}
