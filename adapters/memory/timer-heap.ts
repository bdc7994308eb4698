/**
 * Things that become due, earliest first; at the same time, in the order in which they were added.
 */
export interface Timed {
  readonly atMs: number;
}

interface Slot<T> {
  readonly item: T;
  readonly order: number;
}

export class TimerHeap<T extends Timed> {
  /** A binary heap: each slot comes before the two at 2i + 1 and 2i + 2. */
  readonly #slots: Slot<T>[] = [];
  readonly #places = new Map<T, number>();
  #added = 0;

  get size(): number {
    return this.#slots.length;
  }

  /** The one that is due first. */
  get first(): T | undefined {
    return this.#slots[0]?.item;
  }

  add(item: T): void {
    this.#up(this.#slots.length, { item, order: this.#added++ });
  }

  /** Takes the first off if it is due by then. */
  takeDue(nowMs: number): T | undefined {
    const first = this.first;
    if (!first || first.atMs > nowMs) return undefined;
    this.delete(first);
    return first;
  }

  delete(item: T): boolean {
    const place = this.#places.get(item);
    if (place === undefined) return false;
    this.#places.delete(item);
    const last = this.#slots.pop() as Slot<T>;
    if (last.item !== item) this.#down(this.#up(place, last), last);
    return true;
  }

  #up(from: number, slot: Slot<T>): number {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      const above = this.#slots[parent] as Slot<T>;
      if (!isBefore(slot, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, slot);
    return place;
  }

  #down(from: number, slot: Slot<T>): void {
    let place = from;
    for (;;) {
      const left = this.#slots[2 * place + 1];
      const right = this.#slots[2 * place + 2];
      if (!left) break;
      const child = right && isBefore(right, left) ? 2 * place + 2 : 2 * place + 1;
      const below = this.#slots[child] as Slot<T>;
      if (!isBefore(below, slot)) break;
      this.#put(place, below);
      place = child;
    }
    this.#put(place, slot);
  }

  #put(place: number, slot: Slot<T>): void {
    this.#slots[place] = slot;
    this.#places.set(slot.item, place);
  }
}

function isBefore(a: Slot<Timed>, b: Slot<Timed>): boolean {
  return a.item.atMs < b.item.atMs || (a.item.atMs === b.item.atMs && a.order < b.order);
}
