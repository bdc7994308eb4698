/**
 * The highest of many numbers, kept as they change: a tournament, whose winner is asked for in no
 * time and decided anew along one path when a number changes. Of equals, the first wins.
 */

const NOBODY = -1;

export class MaxTree {
  readonly #valueOf: (index: number) => number;
  /** Leaves are in the second half, their winners above them. */
  #winners = new Int32Array(0);
  #leaves = 0;

  /** `valueOf` gives the number of an index; -Infinity keeps it out. */
  constructor(valueOf: (index: number) => number) {
    this.#valueOf = valueOf;
  }

  /** Takes the numbers of all indexes below `size` as they are now. */
  rebuild(size: number): void {
    this.#leaves = 1;
    while (this.#leaves < size) this.#leaves *= 2;
    this.#winners = new Int32Array(2 * this.#leaves).fill(NOBODY);
    for (let index = 0; index < size; index++) {
      this.#winners[this.#leaves + index] = this.#valueOf(index) === -Infinity ? NOBODY : index;
    }
    for (let at = this.#leaves - 1; at > 0; at--) this.#decide(at);
  }

  /** The number of this index has changed. The index is below the size of the last rebuild. */
  update(index: number): void {
    this.#set(index, this.#valueOf(index) === -Infinity ? NOBODY : index);
  }

  /** Keeps the index out until its next update. */
  remove(index: number): void {
    this.#set(index, NOBODY);
  }

  /** Whether an index may be updated; else everything has to be taken anew. */
  holds(index: number): boolean {
    return index < this.#leaves;
  }

  get best(): number | undefined {
    const winner = this.#winners[1] ?? NOBODY;
    return winner === NOBODY ? undefined : winner;
  }

  #set(index: number, winner: number): void {
    let at = this.#leaves + index;
    this.#winners[at] = winner;
    for (at >>= 1; at > 0; at >>= 1) this.#decide(at);
  }

  #decide(at: number): void {
    const left = this.#winners[2 * at] as number;
    const right = this.#winners[2 * at + 1] as number;
    const rightWins =
      left === NOBODY || (right !== NOBODY && this.#valueOf(right) > this.#valueOf(left));
    this.#winners[at] = rightWins ? right : left;
  }
}
