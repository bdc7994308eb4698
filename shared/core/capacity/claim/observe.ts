/**
 * What becomes of a claim when its launch was answered. Pure; observing twice is observing once.
 */
import { withCondition } from '../../../api/conditions.ts';
import type { NodeClaim } from '../../../api/kinds/karpenter.ts';
import type { Labels } from '../../../api/meta.ts';
import type { CapacityType } from '../../../api/instance.ts';
import type { MachineType } from '../machine-type.ts';
import { ZONE_LABEL } from '../../scheduling/cluster.ts';
import { claimControl, withClaimControl } from './state.ts';

export interface LaunchedMachine {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly capacityType: CapacityType;
}

/** The claim with its machine; undefined when it has one. `type`: what is known of the type. */
export function observeLaunch(
  claim: NodeClaim,
  machine: LaunchedMachine,
  type: MachineType | undefined,
  nowMs: number,
): NodeClaim | undefined {
  const control = claimControl(claim);
  if (!control || control.instanceId !== undefined) return undefined;
  const labels: Labels = {
    ...withoutTypeLabels(control.labels),
    ...type?.labels,
    [ZONE_LABEL]: machine.zone,
  };
  const launched = { type: 'Launched', status: 'True', reason: 'Launched', message: '' } as const;
  const status = {
    ...claim.status,
    providerID: `aws:///${machine.zone}/${machine.id}`,
    conditions: withCondition(claim.status.conditions, launched, nowMs),
  };
  const metadata = {
    ...claim.metadata,
    labels: { ...claim.metadata.labels, ...type?.labels, [ZONE_LABEL]: machine.zone },
  };
  return withClaimControl(
    { ...claim, metadata, status },
    {
      ...control,
      ...(type ? { room: type.room, capacity: type.capacity } : {}),
      labels,
      instanceId: machine.id,
      launchedType: machine.type,
      launchedZone: machine.zone,
      launchedAtMs: nowMs,
    },
  );
}

function withoutTypeLabels(labels: Labels): Labels {
  const kept = Object.entries(labels).filter(([key]) => !key.startsWith('karpenter.k8s.aws/'));
  return Object.fromEntries(kept);
}

/** The claim with the word that nothing could be launched; undefined when it has it. */
export function observeNoLaunch(
  claim: NodeClaim,
  reason: string,
  message: string,
  nowMs: number,
): NodeClaim | undefined {
  if (claimControl(claim)?.instanceId !== undefined) return undefined;
  const refused = { type: 'Launched', status: 'False', reason, message } as const;
  const conditions = withCondition(claim.status.conditions, refused, nowMs);
  return { ...claim, status: { ...claim.status, conditions } };
}
