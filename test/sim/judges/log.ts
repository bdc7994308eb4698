/**
 * What happened, line by line, and a hash over all of it: two runs are the same when their hashes
 * are.
 */
import { createHash } from 'node:crypto';
import { type Agenda, EPOCH_MS } from '../../world/agenda.ts';

/** In characters. */
const HASHED_AT_ONCE = 16_384;

export class Log {
  readonly #agenda: Agenda;
  readonly #print: ((line: string) => void) | undefined;
  readonly #hash = createHash('sha256');
  /** Written and not hashed yet: a call of the hash costs more than its line. */
  #unhashed = '';
  lines = 0;

  constructor(agenda: Agenda, print?: (line: string) => void) {
    this.#agenda = agenda;
    this.#print = print;
  }

  write(text: string): void {
    const line = `${((this.#agenda.nowMs - EPOCH_MS) / 1000).toFixed(3).padStart(10)} ${text}`;
    this.lines++;
    this.#unhashed += line;
    if (this.#unhashed.length > HASHED_AT_ONCE) this.#hashAll();
    this.#print?.(line);
  }

  /** The hash so far. */
  digest(): string {
    this.#hashAll();
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  #hashAll(): void {
    this.#hash.update(this.#unhashed);
    this.#unhashed = '';
  }
}
