/** Pools, and machines of theirs with pods, for tests of capacity. Types are test/world's. */
import type { CapacityType } from '../../../shared/api/instance.ts';
import type { Condition } from '../../../shared/api/conditions.ts';
import type { NodeClaim, NodePool } from '../../../shared/api/kinds/karpenter.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { ObjectMeta } from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import type { ClaimControl } from '../../../shared/core/capacity/claim/state.ts';
import type { ClusterSnapshot } from '../../../shared/core/scheduling/schedule.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { namespace, node, NOW_MS, pod, running } from '../scheduling/fixtures.ts';

const HOUR_MS = 3_600_000;
const ZONE = 'us-east-1a';
const FINALIZERS = ['karpenter.sh/termination'];

export function pool(
  given: {
    readonly name?: string;
    readonly spec?: Partial<NodePool['spec']>;
    readonly template?: Partial<NodePool['spec']['template']['spec']>;
    readonly disruption?: Partial<NodePool['spec']['disruption']>;
  } = {},
): NodePool {
  const name = given.name ?? 'general';
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: metaOf(name),
    spec: {
      template: { spec: { requirements: [], expireAfter: 'Never', ...given.template } },
      disruption: {
        consolidateAfter: '0s',
        consolidationPolicy: 'WhenEmptyOrUnderutilized',
        budgets: [{ nodes: '100%' }],
        ...given.disruption,
      },
      ...given.spec,
    },
    status: { nodes: 0 },
  };
}

export interface MachineGiven {
  readonly type?: string;
  readonly capacityType?: CapacityType;
  readonly pool?: string;
  readonly conditions?: readonly Condition[];
  readonly control?: Partial<ClaimControl>;
  readonly meta?: Partial<ObjectMeta>;
  readonly nodeMeta?: Partial<ObjectMeta>;
}

export interface Machine {
  readonly claim: NodeClaim & { readonly control: ClaimControl };
  readonly node: Node;
}

/** A machine that is set up: its claim, and its node `i-NUMBER`. */
export function machine(number: number, given: MachineGiven = {}): Machine {
  const type = MACHINE_TYPES.find(({ name }) => name === (given.type ?? 'm1.large'));
  if (!type) throw new RangeError(`no type ${given.type}`);
  const { capacityType = 'on-demand', pool: poolName = 'general' } = given;
  const id = `i-${String(number).padStart(17, '0')}`;
  const name = `claim-${number}`;
  const labels = {
    ...type.labels,
    'karpenter.sh/nodepool': poolName,
    'karpenter.sh/nodeclaim': name,
    'karpenter.sh/capacity-type': capacityType,
    'topology.kubernetes.io/zone': ZONE,
  };
  const made = node(id, {
    labels,
    allocatable: {
      cpu: `${type.room['cpu']}m`,
      memory: String(type.room['memory']),
      pods: String(type.room['pods']),
    },
  });
  const ready = { type: 'Ready', status: 'True', reason: 'KubeletReady' } as const;
  const told = { type: 'Initialized', status: 'True', reason: 'Initialized' } as const;
  const own = { 'karpenter.sh/nodepool': poolName };
  return {
    claim: {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { ...metaOf(name), labels: own, ...given.meta },
      spec: { requirements: [], expireAfter: 'Never', resources: {} },
      status: { nodeName: id, conditions: [told, ...(given.conditions ?? [])] as never },
      control: {
        ...{ types: [type.name], zones: [ZONE], capacityType, usdPerHour: 9 },
        ...{ room: type.room, capacity: type.capacity, labels: own },
        ...{ instanceId: id, launchedType: type.name, launchedZone: ZONE },
        ...given.control,
      },
    },
    node: {
      ...made,
      metadata: { ...made.metadata, finalizers: FINALIZERS, ...given.nodeMeta },
      status: { ...made.status, capacity: made.status.allocatable ?? {}, conditions: [ready] },
    },
  };
}

const READY: Pod['status'] = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };

/** A pod that somebody would make again, on the machine. */
export function podOn({ node: on }: Machine, name: string, cpu: string, given = {}): Pod {
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'rs', controller: true },
  ];
  const made = pod(name, {
    requests: { cpu },
    labels: { app: 'web' },
    meta: { ownerReferences },
    status: READY,
  });
  return running(on.metadata.name, { ...made, metadata: { ...made.metadata, ...given } });
}

export function clusterOf(
  pools: readonly NodePool[],
  machines: readonly Machine[],
  pods: readonly Pod[] = [],
  given: Partial<ClusterSnapshot> = {},
): Required<ClusterSnapshot> {
  return {
    ...{ pools, pods, ledgers: [], groups: [], budgets: [] },
    namespaces: [namespace('default', {})],
    nodes: machines.map(({ node }) => node),
    claims: machines.map(({ claim }) => claim),
    ...given,
  };
}

function metaOf(name: string): ObjectMeta {
  const creationTimestamp = rfc3339(NOW_MS - HOUR_MS);
  return { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp };
}
