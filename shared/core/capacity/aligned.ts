/**
 * What types have and what pods ask for, in the order of the cluster's columns, so that a loop over
 * these looks nothing up by name. Made anew when a resource is added.
 */
import { type Column, PODS } from '../scheduling/cluster.ts';
import type { SpecShape } from '../scheduling/shape.ts';
import type { TypeList } from './type-list.ts';

export class Aligned {
  #columns: readonly Column[] = [];
  readonly #rooms = new Map<TypeList, readonly Float64Array[]>();
  readonly #amounts = new Map<SpecShape, readonly number[]>();

  /** By column, how much of it each type has. */
  roomsOf(types: TypeList, columns: readonly Column[]): readonly Float64Array[] {
    this.#follow(columns);
    let rooms = this.#rooms.get(types);
    if (!rooms) {
      rooms = columns.map(({ resource }) => types.room(resource));
      this.#rooms.set(types, rooms);
    }
    return rooms;
  }

  /** By column, how much of it one pod of the shape takes. */
  amountsOf(spec: SpecShape, columns: readonly Column[]): readonly number[] {
    this.#follow(columns);
    let amounts = this.#amounts.get(spec);
    if (!amounts) {
      amounts = columns.map(({ resource }) => {
        return resource === PODS ? 1 : (spec.requests[resource] ?? 0);
      });
      this.#amounts.set(spec, amounts);
    }
    return amounts;
  }

  #follow(columns: readonly Column[]): void {
    if (columns === this.#columns) return;
    this.#columns = columns;
    this.#rooms.clear();
    this.#amounts.clear();
  }
}
