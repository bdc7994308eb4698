/**
 * Validation: whether an object, decoded and with its defaults, may be stored. Answers with causes,
 * never throws on input. Owns the table of kinds; the rules are in the files beside.
 *
 * V1. What passes here can be trusted by controllers: references inside the object resolve, numbers
 * are in range.
 * V2. Hosts are shared: nothing that passes gives a container a way to its host.
 */
import type { StatusCause } from '../errors.ts';
import { sameJson } from '../hash.ts';
import type { ConfigMap, Event, Secret, Service } from '../kinds/core.ts';
import type { NodeClaim, NodePool } from '../kinds/karpenter.ts';
import type { Node } from '../kinds/node.ts';
import type { Pod } from '../kinds/pod.ts';
import type { PodDisruptionBudget } from '../kinds/policy.ts';
import type { PodGroup, PriorityClass } from '../kinds/scheduling.ts';
import type { Deployment, ReplicaSet } from '../kinds/workloads.ts';
import type { AnyObject, ResourceName } from '../meta.ts';
import type { ResourceType } from '../resources.ts';
import {
  checkConfigMap,
  checkConfigMapUpdate,
  checkEvent,
  checkSecret,
  checkSecretUpdate,
  checkService,
  checkServiceUpdate,
} from './core.ts';
import { Faults } from './faults.ts';
import {
  checkNodeClaim,
  checkNodeClaimUpdate,
  checkNodePool,
  checkNodePoolUpdate,
} from './karpenter.ts';
import { checkMetadata, checkMetadataUpdate } from './metadata.ts';
import { checkNode, checkNodeUpdate } from './node.ts';
import { checkPod, checkPodUpdate } from './pod.ts';
import { checkPodDisruptionBudget } from './policy.ts';
import { checkPodGroup, checkPriorityClass, checkPriorityClassUpdate } from './scheduling-kinds.ts';
import { checkStructure } from './structure.ts';
import { checkDeployment, checkReplicaSet, checkSelectorUpdate } from './workloads.ts';

interface Rules {
  readonly check: (object: AnyObject, faults: Faults) => void;
  readonly checkUpdate?: (next: AnyObject, old: AnyObject, faults: Faults) => void;
}

/**
 * The structure was checked against the kind's schema before any rule runs, which is what makes
 * this sound.
 */
function rules<T>(
  check: (object: T, faults: Faults) => void,
  checkUpdate?: (next: T, old: T, faults: Faults) => void,
): Rules {
  return { check, ...(checkUpdate && { checkUpdate }) } as unknown as Rules;
}

const RULES: { readonly [resource: ResourceName]: Rules } = {
  pods: rules<Pod>(checkPod, checkPodUpdate),
  'deployments.apps': rules<Deployment>(checkDeployment, checkSelectorUpdate),
  'replicasets.apps': rules<ReplicaSet>(checkReplicaSet, checkSelectorUpdate),
  services: rules<Service>(checkService, checkServiceUpdate),
  configmaps: rules<ConfigMap>(checkConfigMap, checkConfigMapUpdate),
  secrets: rules<Secret>(checkSecret, checkSecretUpdate),
  events: rules<Event>(checkEvent),
  nodes: rules<Node>(checkNode, checkNodeUpdate),
  'nodepools.karpenter.sh': rules<NodePool>(checkNodePool, checkNodePoolUpdate),
  'nodeclaims.karpenter.sh': rules<NodeClaim>(checkNodeClaim, checkNodeClaimUpdate),
  'poddisruptionbudgets.policy': rules<PodDisruptionBudget>(checkPodDisruptionBudget),
  'podgroups.scheduling.x-k8s.io': rules<PodGroup>(checkPodGroup),
  'priorityclasses.scheduling.k8s.io': rules<PriorityClass>(
    checkPriorityClass,
    checkPriorityClassUpdate,
  ),
};

/**
 * What is wrong with a new object; nothing if it may be stored. Its name has been generated if it
 * had none.
 */
export function validateCreate(type: ResourceType, object: AnyObject): readonly StatusCause[] {
  const faults = new Faults();
  checkStructure(type.schema, object, '', faults);
  if (faults.causes.length > 0) return faults.causes;
  checkMetadata(type, object, faults);
  RULES[type.name]?.check(object, faults);
  return faults.causes;
}

/**
 * What is wrong with an object that is to take the place of another. When only metadata changes,
 * only metadata is looked at: a rule that came later must not keep a finalizer from being removed.
 */
export function validateUpdate(
  type: ResourceType,
  object: AnyObject,
  old: AnyObject,
): readonly StatusCause[] {
  const faults = new Faults();
  checkMetadataUpdate(object.metadata, old.metadata, faults);
  if (faults.causes.length > 0) return faults.causes;
  const { metadata: _, ...content } = object;
  const { metadata: __, ...before } = old;
  if (sameJson(content, before)) {
    checkMetadata(type, object, faults);
    return faults.causes;
  }
  const causes = validateCreate(type, object);
  if (causes.length > 0) return causes;
  RULES[type.name]?.checkUpdate?.(object, old, faults);
  return faults.causes;
}
