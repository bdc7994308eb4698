/**
 * The pods that manifests come to, made by the plans of their controllers. Owns which kinds are
 * expanded; how many pods there are and what is in them is the controllers'.
 */
import { hash64 } from '../../api/hash.ts';
import type { Namespace } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { Deployment, ReplicaSet } from '../../api/kinds/workloads.ts';
import type { AnyObject, KubeObject } from '../../api/meta.ts';
import { rfc3339 } from '../../api/time.ts';
import { DEPLOYMENTS, planDeployment } from '../deployment/plan.ts';
import type { Plan } from '../plan.ts';
import { type ClassFacts, withPriority } from '../priority/resolve.ts';
import { planReplicaSet, REPLICA_SETS } from '../replicaset/plan.ts';

export interface Workload {
  /** Such as `deployment/web`. */
  readonly name: string;
  readonly namespace: string;
  readonly pods: readonly Pod[];
}

export interface ExpandGiven {
  readonly classes: readonly ClassFacts[];
  readonly nowMs: number;
  readonly maxPods: number;
}

/**
 * The pods of a Deployment, a ReplicaSet or a Pod; undefined of other kinds. Throws an Error where
 * its pods would be refused, or are too many.
 */
export function expanded(
  resource: string,
  object: AnyObject,
  given: ExpandGiven,
): Workload | undefined {
  const podsOf = EXPANDERS.get(resource);
  if (!podsOf) return undefined;
  const { namespace = '', name } = object.metadata;
  const pods = podsOf(object, given);
  return { name: `${object.kind.toLowerCase()}/${name}`, namespace, pods };
}

type Expander = (object: KubeObject, given: ExpandGiven) => readonly Pod[];

const EXPANDERS: ReadonlyMap<string, Expander> = new Map<string, Expander>([
  ['pods', (object, given) => [prioritised(object as Pod, given)]],
  [REPLICA_SETS, (object, given) => podsOfSet(object as ReplicaSet, given)],
  [DEPLOYMENTS, (object, given) => podsOfDeployment(object as Deployment, given)],
]);

function prioritised(pod: Pod, { classes }: ExpandGiven): Pod {
  const spec = withPriority(pod.spec, classes);
  if (typeof spec !== 'string') return { ...pod, spec };
  throw new Error(`pods "${pod.metadata.name}" is forbidden: ${spec}`);
}

/** Paused ones too: what is planned is what it is to come to. */
function podsOfDeployment(deployment: Deployment, given: ExpandGiven): readonly Pod[] {
  const { paused: _, ...spec } = deployment.spec;
  const plan = planDeployment(
    {
      deployment: { ...deployment, spec },
      ...{ sets: [], namesake: undefined, namespaceTerminating: false },
    },
    given.nowMs,
  );
  return created(plan, REPLICA_SETS, given).flatMap((set) => podsOfSet(set as ReplicaSet, given));
}

function podsOfSet(set: ReplicaSet, given: ExpandGiven): readonly Pod[] {
  const { replicas } = set.spec;
  if (replicas > given.maxPods) {
    throw new Error(`${replicas} pods are more than ${given.maxPods}`);
  }
  const pods: Pod[] = [];
  while (pods.length < replicas) {
    const namespace = NO_NAMESPACE;
    const plan = planReplicaSet({ set, pods, namespace, classes: given.classes }, given.nowMs);
    const made = created(plan, 'pods', given) as readonly Pod[];
    if (made.length === 0) throw new Error(plan.blocked.join('; ') || 'its pods are not made');
    pods.push(...made);
  }
  return pods;
}

const NO_NAMESPACE: Namespace | undefined = undefined;

/** What the plan creates, as the store would have it: uids follow from names. */
function created(plan: Plan, resource: string, { nowMs }: ExpandGiven): readonly KubeObject[] {
  return plan.stages.flat().flatMap((action) => {
    if (action.kind !== 'create' || action.resource !== resource) return [];
    const { object } = action;
    const { namespace = '', name } = object.metadata;
    const uid = hash64(`${resource}/${namespace}/${name}`).toString(16);
    const born = { uid, resourceVersion: '1', creationTimestamp: rfc3339(nowMs) };
    return [{ ...object, metadata: { ...object.metadata, ...born } }];
  });
}
