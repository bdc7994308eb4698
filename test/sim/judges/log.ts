/**
 * What happened, line by line, and a hash over all of it: two runs are the same when their hashes
 * are.
 */
import { createHash } from 'node:crypto';
import { type Agenda, EPOCH_MS } from '../../world/agenda.ts';

export class Log {
  readonly #agenda: Agenda;
  readonly #print: ((line: string) => void) | undefined;
  readonly #hash = createHash('sha256');
  lines = 0;

  constructor(agenda: Agenda, print?: (line: string) => void) {
    this.#agenda = agenda;
    this.#print = print;
  }

  write(text: string): void {
    const line = `${((this.#agenda.nowMs - EPOCH_MS) / 1000).toFixed(3).padStart(10)} ${text}`;
    this.lines++;
    this.#hash.update(line);
    this.#print?.(line);
  }

  /** The hash so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }
}
