/**
 * NodePool: machines that may be launched. NodeClaim: one that is asked for, made by the system
 * alone. Both have the fields of Karpenter's `karpenter.sh/v1`; node classes are not served: a
 * reference to one is kept, told of with a warning, and may be left out.
 */
import { conditionFields, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  type Infer,
  integer,
  intOrString,
  list,
  map,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  string,
  time,
  unsupported,
  withDefault,
} from '../schema.ts';
import { TaintSchema } from './affinity.ts';

const KARPENTER = 'sh.karpenter.v1';

const RequirementSchema = object(`${KARPENTER}.Requirement`, 'What the nodes must be.', {
  key: required(string('The label.')),
  operator: required(
    oneOf('How it compares.', ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  ),
  values: list('What it is compared with.', string()),
  minValues: integer('At least so many values must stay possible.'),
});

const NodeClassReferenceSchema = object(`${KARPENTER}.NodeClassReference`, 'A node class.', {
  group: string('Its group.'),
  kind: string('Its kind.'),
  name: string('Its name.'),
});

/** What the nodes of a pool and a single claimed node have in common. */
const nodeFields = {
  requirements: required(list('What the nodes must be.', RequirementSchema)),
  taints: list('Taints of the nodes.', TaintSchema),
  startupTaints: list(
    'Taints that go away once a node is set up; pods need not tolerate them to be given a node.',
    TaintSchema,
  ),
  nodeClassRef: unsupported(
    NodeClassReferenceSchema,
    'node classes are not served: nodes are launched as the installation says',
  ),
  expireAfter: withDefault(string('How old a node may get: a duration, or Never.'), '720h'),
  terminationGracePeriod: string('How long draining may take, whatever holds pods back.'),
};

const condition = object(`${KARPENTER}.Condition`, 'A condition.', {
  ...conditionFields,
  observedGeneration: integer('The generation it speaks of.'),
});

const BudgetSchema = object(`${KARPENTER}.Budget`, 'How many nodes may go at a time.', {
  nodes: withDefault(intOrString('A number of nodes, or a part of them such as 10%.'), '10%'),
  reasons: list(
    'What it bounds; everything when empty.',
    oneOf('A reason.', ['Underutilized', 'Empty', 'Drifted']),
  ),
  schedule: string('When it begins to hold, as cron says it, in UTC; always when absent.'),
  duration: string('How long it holds from then on.'),
});

const DisruptionSchema = object(`${KARPENTER}.Disruption`, 'When nodes may be replaced.', {
  consolidateAfter: required(
    string('How long a node must have been of little use: a duration, or Never.'),
  ),
  consolidationPolicy: withDefault(
    oneOf('Which nodes may go.', ['WhenEmpty', 'WhenEmptyOrUnderutilized']),
    'WhenEmptyOrUnderutilized',
  ),
  budgets: withDefault(
    list('How many nodes may go at a time; the smallest counts.', BudgetSchema),
    [{ nodes: '10%' }],
  ),
});

export const NodePoolSchema = object(`${KARPENTER}.NodePool`, 'Machines that may be launched.', {
  apiVersion: string('karpenter.sh/v1'),
  kind: string('NodePool'),
  metadata: ObjectMetaSchema,
  spec: required(
    object(`${KARPENTER}.NodePoolSpec`, 'What may be launched.', {
      template: required(
        object(`${KARPENTER}.NodeClaimTemplate`, 'The nodes of the pool.', {
          metadata: object(`${KARPENTER}.TemplateMeta`, 'Labels and annotations of the nodes.', {
            labels: map('Labels.', string()),
            annotations: map('Annotations.', string()),
          }),
          spec: required(
            object(`${KARPENTER}.NodeClaimTemplateSpec`, 'The nodes of the pool.', nodeFields),
          ),
        }),
      ),
      disruption: withDefault(DisruptionSchema, {
        consolidateAfter: '0s',
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        budgets: [{ nodes: '10%' }],
      }),
      limits: map('The most that the pool may have.', quantity()),
      weight: integer('Pools with more weight come first: 1 to 100.'),
    }),
  ),
  status: withDefault(
    object(`${KARPENTER}.NodePoolStatus`, 'How the pool is.', {
      resources: map('What the pool has.', quantity()),
      nodes: withDefault(integer('How many nodes the pool has.'), 0),
      conditions: mapList('Conditions.', condition, ['type']),
    }),
    { nodes: 0 },
  ),
});

export const NodeClaimSchema = object(`${KARPENTER}.NodeClaim`, 'A node that is asked for.', {
  apiVersion: string('karpenter.sh/v1'),
  kind: string('NodeClaim'),
  metadata: ObjectMetaSchema,
  spec: required(
    object(`${KARPENTER}.NodeClaimSpec`, 'What node is asked for.', {
      ...nodeFields,
      resources: withDefault(
        object(`${KARPENTER}.ResourceRequirements`, 'What must fit.', {
          requests: map('What the pods that it is meant for ask for.', quantity()),
        }),
        {},
      ),
    }),
  ),
  status: withDefault(
    object(`${KARPENTER}.NodeClaimStatus`, 'How the claim is.', {
      nodeName: string('The node.'),
      providerID: string('The machine, as its cloud names it.'),
      imageID: string('The image that the machine runs.'),
      capacity: map('What the machine has.', quantity()),
      allocatable: map('What pods may use of it.', quantity()),
      conditions: mapList(
        'Conditions: Launched, Registered, Initialized, and Ready when all of them hold.',
        condition,
        ['type'],
      ),
      lastPodEventTime: time('When a pod last came to the node or left it.'),
    }),
    {},
  ),
});

export type NodePool = Stored<typeof NodePoolSchema, 'karpenter.sh/v1', 'NodePool'>;
export type NodeClaim = Stored<typeof NodeClaimSchema, 'karpenter.sh/v1', 'NodeClaim'>;
/** What pools and claims say of nodes alike. */
export type NodeTemplateSpec = NodePool['spec']['template']['spec'];
export type NodePoolBudget = Infer<typeof BudgetSchema>;
