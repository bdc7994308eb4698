/**
 * The registry of resource types: what discovery lists, what paths lead to, what a kind's schema
 * is. A kind is served because it stands here; nothing else lists kinds.
 */
import {
  ConfigMapSchema,
  EndpointSliceSchema,
  EventSchema,
  NamespaceSchema,
  SecretSchema,
  ServiceAccountSchema,
  ServiceSchema,
} from './kinds/core.ts';
import { NodeClaimSchema, NodePoolSchema } from './kinds/karpenter.ts';
import { NodeAllocationSchema, NodeSchema } from './kinds/node.ts';
import { PodSchema } from './kinds/pod.ts';
import { PodDisruptionBudgetSchema } from './kinds/policy.ts';
import { PodGroupSchema, PriorityClassSchema } from './kinds/scheduling.ts';
import { DeploymentSchema, ReplicaSetSchema } from './kinds/workloads.ts';
import type { ResourceName } from './meta.ts';
import type { Schema } from './schema.ts';

export interface ResourceType {
  /** `plural.group`, the name that keys, queues and stores use. */
  readonly name: ResourceName;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
  readonly schema: Schema;
}

const ALL_VERBS = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const;

type Given = Pick<ResourceType, 'plural' | 'kind' | 'schema'> & Partial<ResourceType>;

function define(group: string, version: string, given: Given): ResourceType {
  return {
    name: group ? `${given.plural}.${group}` : given.plural,
    group,
    version,
    singular: given.kind.toLowerCase(),
    namespaced: true,
    shortNames: [],
    categories: [],
    verbs: ALL_VERBS,
    subresources: [],
    ...given,
  };
}

const core = (given: Given) => define('', 'v1', given);
const apps = (given: Given) => define('apps', 'v1', given);

export const RESOURCES: readonly ResourceType[] = [
  core({ plural: 'configmaps', kind: 'ConfigMap', schema: ConfigMapSchema, shortNames: ['cm'] }),
  core({ plural: 'events', kind: 'Event', schema: EventSchema, shortNames: ['ev'] }),
  core({
    plural: 'namespaces',
    kind: 'Namespace',
    schema: NamespaceSchema,
    namespaced: false,
    shortNames: ['ns'],
    verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
    subresources: ['status', 'finalize'],
  }),
  core({
    plural: 'nodes',
    kind: 'Node',
    schema: NodeSchema,
    namespaced: false,
    shortNames: ['no'],
    subresources: ['status'],
  }),
  core({
    plural: 'pods',
    kind: 'Pod',
    schema: PodSchema,
    shortNames: ['po'],
    categories: ['all'],
    subresources: ['status', 'log', 'eviction', 'binding', 'exec', 'decision'],
  }),
  core({ plural: 'secrets', kind: 'Secret', schema: SecretSchema }),
  core({
    plural: 'serviceaccounts',
    kind: 'ServiceAccount',
    schema: ServiceAccountSchema,
    shortNames: ['sa'],
  }),
  core({
    plural: 'services',
    kind: 'Service',
    schema: ServiceSchema,
    shortNames: ['svc'],
    categories: ['all'],
    subresources: ['status'],
  }),
  apps({
    plural: 'deployments',
    kind: 'Deployment',
    schema: DeploymentSchema,
    shortNames: ['deploy'],
    categories: ['all'],
    subresources: ['status', 'scale'],
  }),
  apps({
    plural: 'replicasets',
    kind: 'ReplicaSet',
    schema: ReplicaSetSchema,
    shortNames: ['rs'],
    categories: ['all'],
    subresources: ['status', 'scale'],
  }),
  define('discovery.k8s.io', 'v1', {
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    schema: EndpointSliceSchema,
  }),
  define('karpenter.sh', 'v1', {
    plural: 'nodepools',
    kind: 'NodePool',
    schema: NodePoolSchema,
    namespaced: false,
    categories: ['karpenter'],
    subresources: ['status'],
  }),
  define('karpenter.sh', 'v1', {
    plural: 'nodeclaims',
    kind: 'NodeClaim',
    schema: NodeClaimSchema,
    namespaced: false,
    categories: ['karpenter'],
    // Made by the system alone: a claim is a machine that is paid for.
    verbs: ALL_VERBS.filter((verb) => verb !== 'create'),
    subresources: ['status'],
  }),
  define('policy', 'v1', {
    plural: 'poddisruptionbudgets',
    kind: 'PodDisruptionBudget',
    schema: PodDisruptionBudgetSchema,
    shortNames: ['pdb'],
    subresources: ['status'],
  }),
  define('scheduling.k8s.io', 'v1', {
    plural: 'priorityclasses',
    kind: 'PriorityClass',
    schema: PriorityClassSchema,
    namespaced: false,
    shortNames: ['pc'],
  }),
  define('scheduling.x-k8s.io', 'v1alpha1', {
    plural: 'podgroups',
    kind: 'PodGroup',
    schema: PodGroupSchema,
    shortNames: ['pg', 'pgs'],
    subresources: ['status'],
  }),
  define('nullplane.io', 'v1alpha1', {
    plural: 'nodeallocations',
    kind: 'NodeAllocation',
    schema: NodeAllocationSchema,
    namespaced: false,
    verbs: ['get', 'list', 'watch'],
  }),
];

/** The resource type of a kind in a group and version; undefined for what is not served. */
export function resourceTypeOf({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): ResourceType | undefined {
  return RESOURCES.find((type) => {
    const groupVersion = type.group ? `${type.group}/${type.version}` : type.version;
    return type.kind === kind && groupVersion === apiVersion;
  });
}

const byName = new Map(RESOURCES.map((type) => [type.name, type]));

/**
 * The resource type of that name. Throws on a name that is not in the registry: a programmer's
 * error.
 */
export function resourceType(name: ResourceName): ResourceType {
  const type = byName.get(name);
  if (!type) throw new RangeError(`no such resource: ${name}`);
  return type;
}
