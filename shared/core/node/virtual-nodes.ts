/**
 * Fargate and Fargate Spot as nodes: nodes without an edge. They have no ledger, since one record
 * that every launch writes would be hot and without bound: a task's own size is what is limited.
 */
import type { Taint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import { COMPUTE_LABEL, VIRTUAL_COMPUTE, ZONE_LABEL } from '../scheduling/cluster.ts';
import { draftNode, type NodeDraft } from './draft.ts';

/** As much as the largest of accounts may run. */
const ROOM = { cpu: '100k', memory: '400Ti', 'ephemeral-storage': '4Pi', pods: '100k' };

export const CAPACITY_TYPE_LABEL = 'karpenter.sh/capacity-type';

/**
 * Spot tasks may be taken away with two minutes' notice: only pods that ask for them go there
 * first.
 */
const SPOT_TAINT: Taint = { key: CAPACITY_TYPE_LABEL, value: 'spot', effect: 'PreferNoSchedule' };

export interface VirtualPlace {
  /** Where the tasks of both nodes run, as far as pods may choose: a zone, or a whole region. */
  readonly zone: string;
  /** What `spec.providerID` begins with. */
  readonly provider: string;
  readonly runtime: Pick<NodeDraft, 'containerRuntimeVersion' | 'osImage'>;
}

export function virtualNodes(place: VirtualPlace, nowMs: number): readonly Node[] {
  const spot = virtualNode('fargate-spot', 'spot', place, nowMs);
  return [
    virtualNode('fargate', 'on-demand', place, nowMs),
    { ...spot, spec: { ...spot.spec, taints: [SPOT_TAINT] } },
  ];
}

function virtualNode(
  name: string,
  capacityType: string,
  { zone, provider, runtime }: VirtualPlace,
  nowMs: number,
): Node {
  const labels = {
    [COMPUTE_LABEL]: VIRTUAL_COMPUTE,
    [CAPACITY_TYPE_LABEL]: capacityType,
    [ZONE_LABEL]: zone,
    'kubernetes.io/arch': 'amd64',
  };
  const providerID = `${provider}:///${name}`;
  return draftNode(
    { name, providerID, labels, capacity: ROOM, allocatable: ROOM, ...runtime },
    nowMs,
  );
}
