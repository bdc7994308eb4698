/**
 * What passes of the scheduler come to, one after the other, if everything that they ask for comes
 * true at once: pods are bound, machines join, victims end. Pure: the passes are those that run.
 *
 * Invariant W1: the search ends. Each pass but the last places a pod or adds a machine.
 */
import type { NodeClaim } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject } from '../../api/meta.ts';
import { CLAIM_LABEL, CLAIMS, claimControl, comingNodes } from '../capacity/claim/state.ts';
import type { MachineType } from '../capacity/machine-type.ts';
import type { Action } from '../plan.ts';
import { isPlaced } from '../scheduling/pending.ts';
import { schedule, type Unschedulable } from '../scheduling/schedule.ts';
import type { ClusterSnapshot } from '../scheduling/snapshot.ts';

export interface Simulated {
  /** All pods as they are at the end; those that had to go are not in it. */
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  /** What was launched, by the node's name. */
  readonly launched: ReadonlyMap<string, NodeClaim>;
  readonly left: readonly Unschedulable[];
  readonly victims: readonly Pod[];
}

/** Chains of pods that wait for each other are shorter; what is left then is told as left. */
const MAX_PASSES = 50;

export function simulated(
  given: ClusterSnapshot,
  types: readonly MachineType[],
  nowMs: number,
): Simulated {
  const world = new SimulatedWorld(given);
  let left: readonly Unschedulable[] = [];
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const result = schedule(world.snapshot, nowMs, { types });
    left = result.unschedulable;
    const actions = result.plans.flatMap(({ stages }) => stages.flat());
    if (!world.applies(actions) && !result.unfinished) break;
  }
  return { ...world.outcome, left };
}

class SimulatedWorld {
  readonly #given: ClusterSnapshot;
  readonly #pods: Map<string, Pod>;
  readonly #nodes: Node[];
  readonly #launched = new Map<string, NodeClaim>();
  readonly #victims: Pod[] = [];

  constructor(given: ClusterSnapshot) {
    this.#given = given;
    this.#pods = new Map(given.pods.map((pod) => [pod.metadata.uid, pod]));
    this.#nodes = [...given.nodes];
  }

  get snapshot(): ClusterSnapshot {
    const pods = [...this.#pods.values()];
    return { ...this.#given, pods, nodes: [...this.#nodes], ledgers: [] };
  }

  get outcome(): Omit<Simulated, 'left'> {
    const pods = [...this.#pods.values()];
    const [nodes, launched, victims] = [this.#nodes, this.#launched, this.#victims];
    return { pods, nodes, launched, victims };
  }

  /** Whether that has changed what the next pass may do. */
  applies(actions: readonly Action[]): boolean {
    let hasChanged = false;
    for (const action of actions) {
      if (action.kind === 'create' && action.resource === CLAIMS) {
        hasChanged = this.#joins(action.object as KubeObject as NodeClaim) || hasChanged;
      }
      if (action.kind === 'update' && action.resource === 'pods') {
        hasChanged = this.#writes(action.object as KubeObject as Pod) || hasChanged;
      }
    }
    return hasChanged;
  }

  #joins(draft: NodeClaim): boolean {
    const { name } = draft.metadata;
    const claim = { ...draft, metadata: { ...draft.metadata, uid: name } };
    const [node] = comingNodes([claim], []);
    if (!node || this.#launched.has(name)) return false;
    const labels = { ...node.metadata.labels, [CLAIM_LABEL]: name };
    const { allocatable = {} } = node.status;
    const capacity = capacityOf(claim) ?? allocatable;
    const joined = { ...node, status: { ...node.status, allocatable, capacity } };
    this.#nodes.push({ ...joined, metadata: { ...node.metadata, labels } });
    this.#launched.set(name, claim);
    return true;
  }

  #writes(pod: Pod): boolean {
    const { uid, deletionTimestamp } = pod.metadata;
    const before = this.#pods.get(uid);
    if (before && deletionTimestamp !== undefined) {
      this.#pods.delete(uid);
      this.#victims.push(before);
      return true;
    }
    this.#pods.set(uid, pod);
    return isPlaced(pod) && !(before && isPlaced(before));
  }
}

/** What counts for the limits of its pool. */
function capacityOf(claim: NodeClaim): Node['status']['capacity'] {
  const { capacity } = claimControl(claim) ?? {};
  if (!capacity) return undefined;
  const { nodes: _, ...resources } = capacity;
  return Object.fromEntries(
    Object.entries(resources).map(([resource, amount]) => {
      return [resource, resource === 'cpu' ? `${amount}m` : String(amount)] as const;
    }),
  );
}
