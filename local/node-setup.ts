/**
 * Puts the nodes of local mode into the store, and lets a person play with the simulated ones:
 * `kubectl annotate node m7i-xlarge-1 nullplane.io/simulate=disconnected` (or connected, gone,
 * spot).
 */
import type { SimulatedRuntime } from '../adapters/memory/simulated-runtime.ts';
import type { Change } from '../shared/api/change.ts';
import type { Node } from '../shared/api/kinds/node.ts';
import type { AnyObject } from '../shared/api/meta.ts';
import type { HealthMessage } from '../shared/api/task.ts';
import type { Effects } from '../shared/control/effects.ts';
import { execute } from '../shared/control/execute.ts';
import { removal } from '../shared/core/deletion.ts';
import { create, inOrder } from '../shared/core/plan.ts';
import type { NodeGroup } from '../shared/core/capacity/catalogue/node-groups.ts';
import type { LocalMachines } from './machines.ts';
import { localNodes, SIMULATED_LABEL } from './nodes.ts';

export const SIMULATE_ANNOTATION = 'nullplane.io/simulate';

type NodeStatus = Extract<HealthMessage, { type: 'node' }>['status'];
/** `spot`: the machine is taken back, after the notice that EC2 gives. */
type Simulated = NodeStatus | 'spot';

function isSimulatable(text: string | undefined): text is Simulated {
  return ['connected', 'disconnected', 'gone', 'spot'].includes(text ?? '');
}

/**
 * Follows the annotation: what it says happens to the node's tasks, and the health queue hears of
 * it.
 */
export class NodeSimulation {
  /** Set before anything is simulated. */
  machines: LocalMachines | undefined;
  #emit: (message: HealthMessage) => void = () => {};
  #runtime: SimulatedRuntime | undefined;

  connect(emit: (message: HealthMessage) => void, runtime: SimulatedRuntime | undefined): void {
    this.#emit = emit;
    this.#runtime = runtime;
  }

  onChange(change: Change): void {
    if (change.resource !== 'nodes' || change.type !== 'put') return;
    const wanted = change.object.metadata.annotations?.[SIMULATE_ANNOTATION];
    const before = change.previous?.metadata.annotations?.[SIMULATE_ANNOTATION];
    if (wanted !== before && isSimulatable(wanted)) this.apply(change.object.metadata.name, wanted);
  }

  /**
   * Without simulated tasks only the news is simulated: containers live on, as behind a partition.
   */
  apply(nodeName: string, status: Simulated): void {
    if (status === 'spot') {
      this.machines?.interrupt(nodeName, () => this.apply(nodeName, 'gone'));
    } else if (status === 'gone' && this.machines?.end(nodeName)) {
      return;
    } else if (!this.#runtime) {
      this.#emit({ type: 'node', nodeName, status, atMs: Date.now() });
    } else if (status === 'connected') this.#runtime.reconnectNode(nodeName);
    else if (status === 'disconnected') this.#runtime.disconnectNode(nodeName);
    else this.#runtime.terminateNode(nodeName);
  }
}

/**
 * Creates the nodes that are missing. With `--nodes` given, simulated nodes of an earlier start
 * that it does not name are gone for good. Returns a line for people.
 */
export async function ensureNodes(
  effects: Effects,
  groups: readonly NodeGroup[] | undefined,
  simulation: NodeSimulation,
): Promise<string> {
  const wanted = localNodes(groups ?? [], effects.clock.nowMs());
  const stored = await effects.store.list<Node>({ resource: 'nodes' });
  const known = new Set(stored.items.map(({ metadata }) => metadata.name));
  const missing = wanted.filter(({ metadata }) => !known.has(metadata.name));
  await execute({ stages: [missing.map((node) => create('nodes', node))], blocked: [] }, effects);
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const stale = stored.items.filter(({ metadata }) => {
    return groups && metadata.labels?.[SIMULATED_LABEL] === 'true' && !names.has(metadata.name);
  });
  for (const node of stale) await removeNode(node, effects, simulation);
  const simulated = (await effects.store.list({ resource: 'nodes' })).items.filter(isSimulated);
  return `fargate, fargate-spot${simulated.length > 0 ? ` and ${simulated.length} simulated` : ''}`;
}

function isSimulated({ metadata }: AnyObject): boolean {
  return metadata.labels?.[SIMULATED_LABEL] === 'true';
}

/** Its tasks end with it; the node controller sees to their pods. */
async function removeNode(node: Node, effects: Effects, simulation: NodeSimulation): Promise<void> {
  simulation.apply(node.metadata.name, 'gone');
  await execute(inOrder(removal('nodes', node)), effects);
}
