/** What a pass knows. */
import type { NodeClaim, NodePool } from '../../api/kinds/karpenter.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import type { PodGroup } from '../../api/kinds/scheduling.ts';
import type { NodesAndPods } from './pass.ts';

/** Ledgers must have been read before pods: see control/scheduler.ts. */
export interface ClusterSnapshot extends NodesAndPods {
  readonly pools?: readonly NodePool[];
  readonly claims?: readonly NodeClaim[];
  readonly groups?: readonly PodGroup[];
  readonly budgets?: readonly PodDisruptionBudget[];
}
