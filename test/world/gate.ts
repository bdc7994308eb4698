/** Whether functions are run at all: everything may be away, or only what takes messages. */
import type { Agenda } from './agenda.ts';
import type { Process } from './process.ts';

export type Gated = 'consumers' | 'all';

export class Gate {
  readonly #agenda: Agenda;
  #running: Process[] = [];
  readonly #shut = new Set<{ readonly what: Gated }>();
  readonly #waiting: { readonly what: Gated; readonly pass: () => void }[] = [];

  constructor(agenda: Agenda) {
    this.#agenda = agenda;
  }

  begun(process: Process): void {
    this.#running.push(process);
    if (this.#running.length > MOST_RUNNING) this.#running = this.#running.slice(-MOST_RUNNING / 2);
  }

  /** Where everything is away, no consumer is there either. */
  isShut(what: Gated): boolean {
    return [...this.#shut].some((one) => one.what === 'all' || one.what === what);
  }

  /** Resolves at once, or as the gate opens. */
  async passed(what: Gated): Promise<void> {
    while (this.isShut(what)) {
      await new Promise<void>((pass) => this.#waiting.push({ what, pass }));
    }
  }

  shut(what: Gated): () => void {
    const one = { what };
    this.#shut.add(one);
    if (what === 'all') for (const process of this.#running.splice(0)) process.alive = false;
    return () => {
      this.#shut.delete(one);
      // One after the other, each with an entry of its own: the order is that of coming.
      for (const { pass } of this.#waiting.splice(0)) this.#agenda.in(0, pass);
    };
  }
}

/** Those that began before so many others have ended long ago. */
const MOST_RUNNING = 2_000;
