/**
 * PriorityClass: names for how important pods are. PodGroup: pods that are placed all together or
 * not at all, in the fields of the scheduler-plugins project (scheduling.x-k8s.io/v1alpha1).
 */
import { conditionFields, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  boolean,
  integer,
  map,
  mapList,
  object,
  oneOf,
  quantity,
  string,
  time,
  withDefault,
} from '../schema.ts';

export const PREEMPTION_POLICIES = ['PreemptLowerPriority', 'Never'] as const;

export const PriorityClassSchema = object(
  'io.k8s.api.scheduling.v1.PriorityClass',
  'A name for a priority.',
  {
    apiVersion: string('scheduling.k8s.io/v1'),
    kind: string('PriorityClass'),
    metadata: ObjectMetaSchema,
    value: withDefault(integer('The priority of the pods; higher comes first.'), 0),
    globalDefault: boolean('Pods that name no class are of this one. One class at most has it.'),
    description: string('When to use the class.'),
    preemptionPolicy: withDefault(
      oneOf('Whether the pods may take the place of others.', PREEMPTION_POLICIES),
      'PreemptLowerPriority',
    ),
  },
);

const GROUP = 'io.x-k8s.scheduling.v1alpha1';

export const PodGroupSchema = object(
  `${GROUP}.PodGroup`,
  'Pods that are placed all together or not at all.',
  {
    apiVersion: string('scheduling.x-k8s.io/v1alpha1'),
    kind: string('PodGroup'),
    metadata: ObjectMetaSchema,
    spec: withDefault(
      object(`${GROUP}.PodGroupSpec`, 'How many pods at least, and how long they wait.', {
        minMember: withDefault(integer('So many pods are placed together.'), 1),
        minResources: map('What those pods take together, at least.', quantity()),
        scheduleTimeoutSeconds: integer('How long placed pods wait for the others.'),
      }),
      { minMember: 1 },
    ),
    status: withDefault(
      object(`${GROUP}.PodGroupStatus`, 'How the group is.', {
        phase: oneOf('How far the group has got.', [
          'Pending',
          'PreScheduling',
          'Scheduling',
          'Scheduled',
          'Running',
          'Finished',
          'Failed',
          'Unknown',
        ]),
        occupiedBy: string('Who owns the pods: namespace/name, with commas between several.'),
        scheduled: integer('How many pods have a place.'),
        running: integer('How many pods run.'),
        succeeded: integer('How many pods have succeeded.'),
        failed: integer('How many pods have failed.'),
        scheduleStartTime: time('When the group was first tried.'),
        conditions: mapList(
          'Conditions.',
          object(`${GROUP}.PodGroupCondition`, 'A condition of a group.', {
            ...conditionFields,
            observedGeneration: integer('The generation it speaks of.'),
          }),
          ['type'],
        ),
      }),
      {},
    ),
  },
);

export type PriorityClass = Stored<
  typeof PriorityClassSchema,
  'scheduling.k8s.io/v1',
  'PriorityClass'
>;
export type PodGroup = Stored<typeof PodGroupSchema, 'scheduling.x-k8s.io/v1alpha1', 'PodGroup'>;
export type PodGroupStatus = PodGroup['status'];
export type PodGroupPhase = NonNullable<PodGroupStatus['phase']>;
