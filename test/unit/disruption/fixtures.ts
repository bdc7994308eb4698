/** Budgets and their pods, as the tests of disruption need them. */
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from '../../../shared/api/kinds/policy.ts';
import type { ObjectMeta } from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';

export const T0 = 1_893_456_000_000;

const LABELS = { app: 'web' };

export function budget(
  spec: Partial<PodDisruptionBudgetSpec> = { minAvailable: 1 },
  status: Partial<PodDisruptionBudgetStatus> = {},
  name = 'web',
): PodDisruptionBudget {
  const counts = { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 };
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      ...{ name, namespace: 'd', uid: name, resourceVersion: '1', generation: 1 },
      creationTimestamp: rfc3339(T0),
    },
    spec: { selector: { matchLabels: LABELS }, ...spec },
    status: { ...counts, observedGeneration: 1, ...status },
  };
}

export interface PodShape {
  readonly ready?: boolean;
  readonly phase?: Pod['status']['phase'];
  /** The uid of its controller. */
  readonly owner?: string;
  readonly leaving?: boolean;
  readonly metadata?: Partial<ObjectMeta>;
}

/** A pod that runs and is ready, made an hour ago. */
export function pod(name: string, shape: PodShape = {}): Pod {
  const { ready = true, phase = 'Running', owner, leaving = false, metadata = {} } = shape;
  const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace: 'd', uid: `uid-${name}`, resourceVersion: '1', labels: LABELS },
      creationTimestamp: rfc3339(T0 - 3_600_000),
      ...(owner === undefined ? {} : { ownerReferences: [{ ...reference, uid: owner }] }),
      ...(leaving ? { deletionTimestamp: rfc3339(T0) } : {}),
      ...metadata,
    },
    spec: { containers: [], terminationGracePeriodSeconds: 30, nodeName: 'n1' },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    control: { attempt: 1 },
  } as unknown as Pod;
}
