/** So many at a time. Who dies keeps his slot: where there is a limit, nobody is to die. */
export class Slots {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async wait(): Promise<void> {
    while (this.taken >= this.#most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  free(): void {
    this.taken--;
    this.#waiting.shift()?.();
  }
}
