/**
 * Node: a place for tasks. An EC2 instance is a node; Fargate and Fargate Spot are virtual nodes.
 * NodeAllocation: who holds what of a node, written by the scheduler alone before it binds.
 */
import { conditionFields, type ObjectMeta, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  any,
  boolean,
  type Infer,
  integer,
  list,
  map,
  mapList,
  number,
  object,
  quantity,
  required,
  setOf,
  string,
  time,
  withDefault,
} from '../schema.ts';
import { TaintSchema } from './affinity.ts';

const CORE = 'io.k8s.api.core.v1';

const NodeSpecSchema = object(`${CORE}.NodeSpec`, 'How a node may be used.', {
  unschedulable: boolean('No new pods (kubectl cordon).'),
  taints: list('What keeps pods away.', TaintSchema),
  providerID: string('The instance, as its cloud names it.'),
  podCIDR: string('Not used.'),
  podCIDRs: setOf('Not used.', string()),
});

const NodeStatusSchema = object(`${CORE}.NodeStatus`, 'How a node is.', {
  capacity: map('What the node has.', quantity()),
  allocatable: map('What pods may use of it.', quantity()),
  phase: string('Deprecated.'),
  conditions: mapList(
    'Conditions; Ready is the one that counts.',
    object(`${CORE}.NodeCondition`, 'A condition of a node.', {
      ...conditionFields,
      lastHeartbeatTime: time('When the node was last heard of.'),
    }),
    ['type'],
  ),
  addresses: mapList(
    'Addresses.',
    object(`${CORE}.NodeAddress`, 'An address.', {
      type: required(string('InternalIP, Hostname, …')),
      address: required(string('The address.')),
    }),
    ['type'],
  ),
  nodeInfo: any('What runs on the node.'),
  images: list('Images that are there.', any()),
});

export const NodeSchema = object(`${CORE}.Node`, 'A place for tasks.', {
  apiVersion: string('v1'),
  kind: string('Node'),
  metadata: ObjectMetaSchema,
  spec: withDefault(NodeSpecSchema, {}),
  status: withDefault(NodeStatusSchema, {}),
});

const AllocationSchema = object(
  'io.nullplane.v1alpha1.Allocation',
  'What one pod holds of a node. Amounts are in base units: millicores, bytes, devices.',
  {
    podUid: required(string('The pod: a namesake that is made later holds nothing.')),
    podName: required(string('Its name.')),
    namespace: required(string('Its namespace.')),
    requests: required(map('How much of which resource.', number())),
    devices: map('Its GPUs, by container, where the scheduler chose them.', string()),
    batch: string("The token of the batch that the pod's first attempt is in."),
    attempt: integer('The attempt that it was to begin with here; the first where absent.'),
  },
);

export type Allocation = Infer<typeof AllocationSchema>;

/**
 * The ledger of a node, named as the node. The scheduler writes it (conditional on its version)
 * before it binds the pods in it, so that two schedulers that race can't give the same room away
 * twice (S2). Entries of pods that are gone, done or bound elsewhere count for nothing and leave
 * with the next write.
 */
export interface NodeAllocation {
  readonly apiVersion: 'nullplane.io/v1alpha1';
  readonly kind: 'NodeAllocation';
  readonly metadata: ObjectMeta;
  readonly allocations: readonly Allocation[];
}

export const NodeAllocationSchema = object(
  'io.nullplane.v1alpha1.NodeAllocation',
  'The ledger of a node.',
  {
    apiVersion: string('nullplane.io/v1alpha1'),
    kind: string('NodeAllocation'),
    metadata: ObjectMetaSchema,
    allocations: required(list('Who holds what.', AllocationSchema)),
  },
);

export type Node = Stored<typeof NodeSchema, 'v1', 'Node'>;
export type NodeCondition = NonNullable<Node['status']['conditions']>[number];
