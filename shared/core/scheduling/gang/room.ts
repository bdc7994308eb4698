/**
 * How many pods of a gang the cell could hold if nothing else ran on it: an upper bound, so that a
 * gang of which it says that it never fits never does. Pure.
 */
import type { Requests } from '../../pod/requests.ts';
import { PODS } from '../cluster.ts';
import type { Pass } from '../pass.ts';
import type { PodShape } from '../shape.ts';

/** Infinity where a service without an edge takes pods of a shape. */
export function mostPlaces(shapes: readonly PodShape[], { engine, nodeCount }: Pass): number {
  const { cluster } = engine;
  const least = leastOf(shapes);
  let places = 0;
  for (let node = 0; node < nodeCount; node++) {
    const isOpen = shapes.some(
      (shape) => engine.allows(shape, node) || mayOpen(shape, node, engine),
    );
    if (!isOpen) continue;
    if (cluster.isVirtual[node] === 1) return Infinity;
    places += fitting(least, (resource) => cluster.column(resource).allocatableAt(node));
  }
  return places;
}

/** The node is refused for what other pods take of it, or for a time. */
function mayOpen(shape: PodShape, node: number, engine: Pass['engine']): boolean {
  return (
    engine.mayBeHelpedAt(shape, node, 'podGone') ||
    engine.mayBeHelpedAt(shape, node, 'capacityBack')
  );
}

/** What each pod of the shapes asks for at least. */
export function leastOf(shapes: readonly PodShape[]): Requests {
  const [first, ...others] = shapes.map(({ spec }) => spec.requests);
  const least = Object.entries(first ?? {}).map(([resource, amount]) => {
    const amounts = others.map((requests) => requests[resource] ?? 0);
    return [resource, Math.min(amount, ...amounts)] as const;
  });
  return { ...Object.fromEntries(least), [PODS]: 1 };
}

/** How often the amounts are in what there is. */
export function fitting(amounts: Requests, has: (resource: string) => number): number {
  const times = Object.entries(amounts)
    .filter(([, amount]) => amount > 0)
    .map(([resource, amount]) => Math.floor(has(resource) / amount));
  return Math.min(Infinity, ...times);
}
