/**
 * Deployment and ReplicaSet: how many pods of a template there should be, and how a change reaches
 * them.
 */
import { conditionFields, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  boolean,
  type Infer,
  integer,
  intOrString,
  mapList,
  object,
  oneOf,
  required,
  retainKeys,
  string,
  time,
  withDefault,
} from '../schema.ts';
import { LabelSelectorSchema } from './affinity.ts';
import { PodTemplateSchema } from './pod.ts';

const APPS = 'io.k8s.api.apps.v1';

const replicas = withDefault(integer('How many pods there should be.'), 1);
const minReadySeconds = withDefault(
  integer('A pod is available once it was ready for this long.'),
  0,
);

const condition = (kind: string) =>
  object(`${APPS}.${kind}Condition`, `A condition of a ${kind}.`, {
    ...conditionFields,
    lastUpdateTime: time('When the condition was last looked at.'),
  });

export const DeploymentSpecSchema = object(`${APPS}.DeploymentSpec`, 'What is deployed and how.', {
  replicas,
  selector: required(LabelSelectorSchema),
  template: required(PodTemplateSchema),
  // The parts of rollingUpdate are defaulted only when type is RollingUpdate: see defaults.ts.
  strategy: withDefault(
    retainKeys(
      object(`${APPS}.DeploymentStrategy`, 'How old pods are replaced.', {
        type: withDefault(oneOf('The way.', ['RollingUpdate', 'Recreate']), 'RollingUpdate'),
        rollingUpdate: object(`${APPS}.RollingUpdateDeployment`, 'Limits of a rolling update.', {
          maxUnavailable: withDefault(intOrString('How many may be missing.'), '25%'),
          maxSurge: withDefault(intOrString('How many more there may be.'), '25%'),
        }),
      }),
    ),
    { type: 'RollingUpdate' },
  ),
  minReadySeconds,
  revisionHistoryLimit: withDefault(integer('How many old ReplicaSets are kept.'), 10),
  paused: boolean('Changes of the template wait.'),
  progressDeadlineSeconds: withDefault(integer('Without progress for longer, it has failed.'), 600),
});

const counts = {
  observedGeneration: integer('The generation that this status speaks of.'),
  readyReplicas: integer('How many are ready.'),
  availableReplicas: integer('How many were ready for minReadySeconds.'),
  terminatingReplicas: integer('How many are on their way out.'),
};

export const DeploymentSchema = object(
  `${APPS}.Deployment`,
  'Keeps pods of a template, and rolls out changes.',
  {
    apiVersion: string('apps/v1'),
    kind: string('Deployment'),
    metadata: ObjectMetaSchema,
    spec: required(DeploymentSpecSchema),
    status: withDefault(
      object(`${APPS}.DeploymentStatus`, 'How the deployment is.', {
        ...counts,
        replicas: integer('How many there are.'),
        updatedReplicas: integer('How many have the current template.'),
        unavailableReplicas: integer('How many more are needed.'),
        collisionCount: integer('How often a ReplicaSet name was taken.'),
        conditions: mapList('Conditions.', condition('Deployment'), ['type']),
      }),
      {},
    ),
  },
);

export const ReplicaSetSchema = object(
  `${APPS}.ReplicaSet`,
  'Keeps a number of pods of one template.',
  {
    apiVersion: string('apps/v1'),
    kind: string('ReplicaSet'),
    metadata: ObjectMetaSchema,
    spec: required(
      object(`${APPS}.ReplicaSetSpec`, 'What is kept.', {
        replicas,
        minReadySeconds,
        selector: required(LabelSelectorSchema),
        template: PodTemplateSchema,
      }),
    ),
    status: withDefault(
      object(`${APPS}.ReplicaSetStatus`, 'How the set is.', {
        ...counts,
        replicas: withDefault(integer('How many there are.'), 0),
        fullyLabeledReplicas: integer('How many have all labels of the template.'),
        conditions: mapList('Conditions.', condition('ReplicaSet'), ['type']),
      }),
      { replicas: 0 },
    ),
  },
);

export type DeploymentSpec = Infer<typeof DeploymentSpecSchema>;
export type Deployment = Stored<typeof DeploymentSchema, 'apps/v1', 'Deployment'>;
export type DeploymentStatus = Deployment['status'];
export type DeploymentCondition = NonNullable<DeploymentStatus['conditions']>[number];
export type ReplicaSet = Stored<typeof ReplicaSetSchema, 'apps/v1', 'ReplicaSet'>;
export type ReplicaSetStatus = ReplicaSet['status'];
