/**
 * Objects of which a pass can tell what they mean. What is stored was checked as it came in; what
 * was spoilt since, by a hand past the API or a defect, must cost nobody else his place (B7).
 *
 * Owns what a pass makes of them; does not own what becomes of them: their controllers refuse to
 * act on them and say so.
 */
import type { NodeAllocation } from '../../api/kinds/node.ts';
import type { Container } from '../../api/kinds/container.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject } from '../../api/meta.ts';
import { isStandIn } from '../../api/well-formed.ts';
import { isTerminal } from '../pod/predicates.ts';
import { isReadable } from './shape.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** Nothing is urgent enough to have such a pod written: a write would store the stand-in. */
const NEVER_PREEMPTED = 2 ** 31 - 1;

export interface Sound {
  readonly snapshot: Required<ClusterSnapshot>;
  /** What can't be read. */
  readonly unreadable: readonly KubeObject[];
}

/**
 * The cell as a pass is to see it. A node that can't be read gets no pods, nor does one of which
 * nobody can tell who is on it; a pool makes no machines, a gang waits. Budgets stay, since what
 * stands in for one allows nothing.
 */
export function soundCell(cell: Required<ClusterSnapshot>): Sound {
  const { nodes, ledgers, pools, claims, groups, pods } = cell;
  const closed = new Set(ledgers.filter(isStandIn).map(({ metadata }) => metadata.name));
  const unreadable = [
    ...[nodes, ledgers, pools, claims, groups, cell.budgets].flatMap((all) =>
      all.filter(isStandIn),
    ),
    ...pods.filter((pod) => !isReadable(pod)),
  ];
  if (unreadable.length === 0) return { snapshot: cell, unreadable };
  const snapshot = {
    ...cell,
    nodes: nodes.filter((node) => !isStandIn(node) && !closed.has(node.metadata.name)),
    ledgers: readable(ledgers),
    pools: readable(pools),
    claims: readable(claims),
    groups: readable(groups),
    pods: soundPods(pods, ledgers),
  };
  return { snapshot, unreadable };
}

function readable<T extends KubeObject>(objects: readonly T[]): readonly T[] {
  return objects.filter((object) => !isStandIn(object));
}

/**
 * A pod that can't be read holds where it is what the ledger says, also where it can't say itself
 * where that is: its task runs. One that has no place gets none.
 */
function soundPods(pods: readonly Pod[], ledgers: readonly NodeAllocation[]): readonly Pod[] {
  return pods.flatMap((pod) => {
    if (isReadable(pod)) return [pod];
    return isTerminal(pod) ? [] : standIn(pod, ledgers);
  });
}

function standIn(pod: Pod, ledgers: readonly NodeAllocation[]): Pod[] {
  const entries = ledgers.flatMap(({ metadata, allocations }) =>
    allocations
      .filter(({ podUid }) => podUid === pod.metadata.uid)
      .map(({ requests }) => ({ requests, at: metadata.name })),
  );
  const nodeName = pod.spec.nodeName || entries[0]?.at;
  if (nodeName === undefined) return [];
  const held = entries.find(({ at }) => at === nodeName)?.requests ?? {};
  const requests = Object.entries(held).map(
    ([resource, amount]) => [resource, resource === 'cpu' ? `${amount}m` : `${amount}`] as const,
  );
  const resources = { requests: Object.fromEntries(requests) };
  const { restartPolicy, terminationGracePeriodSeconds } = pod.spec;
  const spec: StandIn = {
    ...{ restartPolicy, terminationGracePeriodSeconds, nodeName },
    containers: [{ name: 'unreadable', resources }],
    priority: NEVER_PREEMPTED,
  };
  return [{ ...pod, spec: spec as Pod['spec'] }];
}

/** What a pass reads of a pod that stays where it is. */
type StandIn = Partial<Omit<Pod['spec'], 'containers'>> & {
  readonly containers: readonly Pick<Container, 'name' | 'resources'>[];
};
