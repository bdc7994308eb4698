/**
 * PodDisruptionBudget: how many of some pods may be missing because somebody chose so. Owns the
 * fields; what a budget allows is core/disruption.
 */
import { conditionFields, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  type Infer,
  integer,
  intOrString,
  map,
  mapList,
  object,
  oneOf,
  string,
  time,
  withDefault,
} from '../schema.ts';
import { LabelSelectorSchema } from './affinity.ts';

const POLICY = 'io.k8s.api.policy.v1';

const PodDisruptionBudgetSpecSchema = object(
  `${POLICY}.PodDisruptionBudgetSpec`,
  'Which pods, and how many of them must stay.',
  {
    minAvailable: intOrString('So many, or such a part, must stay available.'),
    maxUnavailable: intOrString('So many, or such a part, may be unavailable.'),
    selector: LabelSelectorSchema,
    unhealthyPodEvictionPolicy: oneOf(
      'Whether pods that are not ready may be evicted although the budget is used up.',
      ['IfHealthyBudget', 'AlwaysAllow'],
    ),
  },
);

const BudgetConditionSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.Condition',
  'A condition.',
  {
    ...conditionFields,
    observedGeneration: integer('The generation it speaks of.'),
  },
);

const NO_COUNTS = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export const PodDisruptionBudgetSchema = object(
  `${POLICY}.PodDisruptionBudget`,
  'Bounds how many pods may be disrupted at a time.',
  {
    apiVersion: string('policy/v1'),
    kind: string('PodDisruptionBudget'),
    metadata: ObjectMetaSchema,
    spec: withDefault(PodDisruptionBudgetSpecSchema, {}),
    status: withDefault(
      object(`${POLICY}.PodDisruptionBudgetStatus`, 'How the budget is.', {
        observedGeneration: integer('The generation that this status speaks of.'),
        disruptedPods: map(
          'Pods that were granted to an evictor and are not yet seen to go, and when.',
          time(),
        ),
        disruptionsAllowed: withDefault(integer('How many more pods may be disrupted now.'), 0),
        currentHealthy: withDefault(integer('How many pods are healthy.'), 0),
        desiredHealthy: withDefault(integer('How many pods must stay healthy.'), 0),
        expectedPods: withDefault(integer('How many pods the budget is of.'), 0),
        conditions: mapList('Conditions.', BudgetConditionSchema, ['type']),
      }),
      NO_COUNTS,
    ),
  },
);

export type PodDisruptionBudget = Stored<
  typeof PodDisruptionBudgetSchema,
  'policy/v1',
  'PodDisruptionBudget'
>;
export type PodDisruptionBudgetSpec = Infer<typeof PodDisruptionBudgetSpecSchema>;
export type PodDisruptionBudgetStatus = PodDisruptionBudget['status'];
