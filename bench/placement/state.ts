/**
 * What a store would hold between passes: it gives the snapshot of the next pass, and takes in what
 * the plans of the last one write. Owns no decision: pods whose deletion is asked for are gone by
 * the next pass, as with a grace of none.
 */
import type { Node, NodeAllocation } from '../../shared/api/kinds/node.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import type { Action, Plan } from '../../shared/core/plan.ts';
import { LEDGERS } from '../../shared/core/scheduling/ledger.ts';
import type { ClusterSnapshot } from '../../shared/core/scheduling/schedule.ts';

export class ClusterState {
  readonly #nodes = new Map<string, Node>();
  readonly #pods = new Map<string, Pod>();
  readonly #ledgers = new Map<string, NodeAllocation>();

  addNode(node: Node): void {
    this.#nodes.set(node.metadata.name, node);
  }

  removeNode({ metadata }: Node): void {
    this.#nodes.delete(metadata.name);
  }

  addPod(pod: Pod): void {
    if (this.#pods.has(pod.metadata.uid)) throw new Error(`there is a pod ${pod.metadata.name}`);
    this.#pods.set(pod.metadata.uid, pod);
  }

  removePod({ metadata }: Pod): void {
    this.#pods.delete(metadata.uid);
  }

  snapshot(): ClusterSnapshot {
    const [nodes, pods, ledgers] = [this.#nodes, this.#pods, this.#ledgers];
    return {
      nodes: [...nodes.values()],
      pods: [...pods.values()],
      ledgers: [...ledgers.values()],
      namespaces: [],
    };
  }

  carryOut(plans: readonly Plan[]): void {
    for (const { stages } of plans) for (const stage of stages) stage.forEach((a) => this.#do(a));
  }

  #do(action: Action): void {
    if (action.kind !== 'create' && action.kind !== 'update') return;
    const { resource, object } = action;
    if (resource === LEDGERS) {
      this.#ledgers.set(object.metadata.name, object as unknown as NodeAllocation);
    }
    if (resource !== 'pods') return;
    const pod = object as unknown as Pod;
    if (pod.metadata.deletionTimestamp === undefined) this.#pods.set(pod.metadata.uid, pod);
    else this.removePod(pod);
  }
}
