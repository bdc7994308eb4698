/** L3 while people work: whatever happens, nobody writes one object again and again. */

const WITHIN_MS = 10_000;
/** Far more than any object has reason for, and far less than a loop makes. */
const MOST_WRITES = 150;

interface Window {
  readonly sinceMs: number;
  writes: number;
}

export class Hurry {
  readonly #nowMs: () => number;
  readonly #windows = new Map<string, Window>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes note of a write; what is wrong with it, if anything is. */
  written(key: string): string | undefined {
    const nowMs = this.#nowMs();
    let window = this.#windows.get(key);
    if (!window || nowMs - window.sinceMs > WITHIN_MS) {
      window = { sinceMs: nowMs, writes: 0 };
      this.#windows.set(key, window);
    }
    window.writes++;
    if (window.writes <= MOST_WRITES) return undefined;
    return `${key} is written ${window.writes} times within ${WITHIN_MS / 1_000} s`;
  }
}
