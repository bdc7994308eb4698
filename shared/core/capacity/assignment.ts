/** Which pod is where while a solve goes on, kept in step with the pass that judges it. */
import type { Pod } from '../../api/kinds/pod.ts';
import type { Engine } from '../scheduling/engine.ts';
import type { PodShape } from '../scheduling/shape.ts';
import { type Demand, hostsNeeded } from './bound.ts';
import type { Fleet, OpenMachine } from './fleet.ts';

export interface SolvedPod {
  readonly pod: Pod;
  readonly shape: PodShape;
  /** In the pass: a machine that is open, or a node that has room after all. */
  readonly node: number;
}

export class Assignment {
  readonly engine: Engine;
  readonly fleet: Fleet;
  readonly #on = new Map<number, Set<SolvedPod>>();

  constructor(engine: Engine, fleet: Fleet) {
    this.engine = engine;
    this.fleet = fleet;
  }

  /** All pods that have a place. */
  get placed(): readonly SolvedPod[] {
    return [...this.#on.values()].flatMap((pods) => [...pods]);
  }

  podsOn({ node }: OpenMachine): ReadonlySet<SolvedPod> {
    return this.#on.get(node) ?? NOBODY;
  }

  get usdPerHour(): number {
    return this.fleet.opened.reduce((sum, machine) => sum + this.fleet.priceOf(machine), 0);
  }

  /** What the pods on machines ask for together. */
  get demand(): Demand {
    const on = this.placed.filter(({ node }) => this.fleet.machineAt(node));
    const amounts: { [resource: string]: number } = { pods: on.length };
    for (const { shape } of on) {
      const { requests } = shape.spec;
      for (const resource in requests) {
        amounts[resource] = (amounts[resource] ?? 0) + (requests[resource] ?? 0);
      }
    }
    const { namespaceLabels } = this.engine.cluster;
    const machines = hostsNeeded(
      on.map(({ shape }) => shape),
      namespaceLabels,
    );
    return { amounts, machines };
  }

  enter(solved: SolvedPod): void {
    this.engine.place(solved.shape, solved.node, 1, solved.pod);
    const pods = this.#on.get(solved.node);
    if (pods) pods.add(solved);
    else this.#on.set(solved.node, new Set([solved]));
  }

  leave(solved: SolvedPod): void {
    this.engine.place(solved.shape, solved.node, -1, solved.pod);
    this.#on.get(solved.node)?.delete(solved);
  }
}

const NOBODY: ReadonlySet<SolvedPod> = new Set();
