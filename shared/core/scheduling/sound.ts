/**
 * Pods of which one can tell what they ask for. What is stored was checked as it came in; a pod
 * that was spoilt since, by a hand past the API or a defect, must cost nobody else his place (B7).
 *
 * Owns what stands in for such a pod in a pass; does not own what becomes of it: its own controller
 * fails on it and says so.
 */
import type { NodeAllocation } from '../../api/kinds/node.ts';
import type { Container } from '../../api/kinds/container.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { isPlaced } from './pending.ts';
import { isReadable } from './shape.ts';

/** Nothing is urgent enough to have such a pod written: a write would store the stand-in. */
const NEVER_PREEMPTED = 2 ** 31 - 1;

export interface Sound {
  readonly pods: readonly Pod[];
  /** The pods that cannot be read. */
  readonly unreadable: readonly Pod[];
}

/**
 * The pods of a pass. One that cannot be read and has a node holds there what the ledger says; one
 * that waits for a node gets none.
 */
export function soundPods(pods: readonly Pod[], ledgers: readonly NodeAllocation[]): Sound {
  const unreadable = pods.filter((pod) => !isReadable(pod));
  if (unreadable.length === 0) return { pods, unreadable };
  const sound = pods.flatMap((pod) => {
    if (isReadable(pod)) return [pod];
    return isPlaced(pod) ? [standIn(pod, ledgers)] : [];
  });
  return { pods: sound, unreadable };
}

function standIn(pod: Pod, ledgers: readonly NodeAllocation[]): Pod {
  const { nodeName = '' } = pod.spec;
  const ledger = ledgers.find(({ metadata }) => metadata.name === nodeName);
  const entry = ledger?.allocations.find(({ podUid }) => podUid === pod.metadata.uid);
  const requests = Object.entries(entry?.requests ?? {}).map(
    ([resource, amount]) => [resource, resource === 'cpu' ? `${amount}m` : `${amount}`] as const,
  );
  const resources = { requests: Object.fromEntries(requests) };
  const { restartPolicy, terminationGracePeriodSeconds } = pod.spec;
  const spec: StandIn = {
    ...{ restartPolicy, terminationGracePeriodSeconds, nodeName },
    containers: [{ name: 'unreadable', resources }],
    priority: NEVER_PREEMPTED,
  };
  return { ...pod, spec: spec as Pod['spec'] };
}

/** What a pass reads of a pod that stays where it is. */
type StandIn = Partial<Omit<Pod['spec'], 'containers'>> & {
  readonly containers: readonly Pick<Container, 'name' | 'resources'>[];
};
