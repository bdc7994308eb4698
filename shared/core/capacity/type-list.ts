/**
 * The types of which one is going to be launched, the cheapest first, as columns of numbers: so
 * that the first that has room is the one to take.
 *
 * Invariant: of types that cost the same, the order of their names decides.
 */
import { memoryOfOne } from './gpu-needs.ts';
import type { MachineType } from './machine-type.ts';

/** Whether each type of a list will do; all of them when it is absent. */
export type Mask = Uint8Array | undefined;

export interface PricedType {
  readonly type: MachineType;
  readonly usdPerHour: number;
}

export class TypeList {
  readonly types: readonly MachineType[];
  readonly prices: Float64Array;
  readonly #rooms = new Map<string, Float64Array>();
  readonly #most = new Map<string, number>();
  #gpuMemory: Float64Array | undefined;

  constructor(priced: readonly PricedType[]) {
    const inOrder = [...priced].sort(
      (a, b) => a.usdPerHour - b.usdPerHour || (a.type.name < b.type.name ? -1 : 1),
    );
    this.types = inOrder.map(({ type }) => type);
    this.prices = Float64Array.from(inOrder, ({ usdPerHour }) => usdPerHour);
  }

  get length(): number {
    return this.types.length;
  }

  /** How much each type has of a resource. */
  room(resource: string): Float64Array {
    let room = this.#rooms.get(resource);
    if (!room) {
      room = Float64Array.from(this.types, (type) => type.room[resource] ?? 0);
      this.#rooms.set(resource, room);
    }
    return room;
  }

  /** How much the largest of them has of a resource. */
  most(resource: string): number {
    let most = this.#most.get(resource);
    if (most === undefined) {
      most = this.room(resource).reduce((a, b) => Math.max(a, b), 0);
      this.#most.set(resource, most);
    }
    return most;
  }

  /** How much memory each GPU of a type has, in MiB, where it may be shared. */
  get gpuMemory(): Float64Array {
    this.#gpuMemory ??= Float64Array.from(this.types, ({ room }) => memoryOfOne(room));
    return this.#gpuMemory;
  }

  /**
   * The least that one unit of a resource costs, whichever type has it, when a machine is charged
   * for by itself.
   */
  lowestUnitPrice(resource: string, chargeUsd = 0): number {
    const room = this.room(resource);
    let least = Infinity;
    for (let i = 0; i < room.length; i++) {
      const amount = room[i] as number;
      if (amount > 0) least = Math.min(least, ((this.prices[i] as number) - chargeUsd) / amount);
    }
    return least;
  }

  /** The index of the cheapest type at or after `from` that has room; -1 for none. */
  cheapest(needs: Needs, mask: Mask, from = 0): number {
    const { rooms, amounts, count } = needs;
    for (let index = from; index < this.types.length; index++) {
      if (mask && mask[index] === 0) continue;
      let fits = true;
      for (let i = 0; i < count && fits; i++) {
        fits = (rooms[i] as Float64Array)[index]! >= (amounts[i] as number);
      }
      if (fits) return index;
    }
    return -1;
  }
}

/** Amounts that a type must have room for, beside the columns that say how much it has. */
export class Needs {
  readonly rooms: Float64Array[] = [];
  readonly amounts: number[] = [];
  count = 0;

  clear(): void {
    this.count = 0;
  }

  add(room: Float64Array, amount: number): void {
    this.rooms[this.count] = room;
    this.amounts[this.count++] = amount;
  }
}

/** Both masks at once. */
export function bothMasks(a: Mask, b: Mask): Mask {
  if (!a || !b) return a ?? b;
  return a.map((one, index) => one & (b[index] ?? 0));
}
