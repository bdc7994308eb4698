/** Which pod is where while a solve goes on, kept in step with the pass that judges it. */
import type { Pod } from '../../api/kinds/pod.ts';
import type { Requests } from '../pod/requests.ts';
import type { Engine } from '../scheduling/engine.ts';
import type { PodShape } from '../scheduling/shape.ts';
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
  get onMachines(): Requests {
    const sums: { [resource: string]: number } = { pods: 0 };
    for (const { shape, node } of this.placed) {
      if (!this.fleet.machineAt(node)) continue;
      sums['pods'] = (sums['pods'] ?? 0) + 1;
      for (const [resource, amount] of Object.entries(shape.spec.requests)) {
        sums[resource] = (sums[resource] ?? 0) + amount;
      }
    }
    return sums;
  }

  enter(solved: SolvedPod): void {
    this.engine.place(solved.shape, solved.node);
    const pods = this.#on.get(solved.node);
    if (pods) pods.add(solved);
    else this.#on.set(solved.node, new Set([solved]));
  }

  leave(solved: SolvedPod): void {
    this.engine.place(solved.shape, solved.node, -1);
    this.#on.get(solved.node)?.delete(solved);
  }
}

const NOBODY: ReadonlySet<SolvedPod> = new Set();
