/**
 * The NodeClaim that asks for an open machine of a solve.
 *
 * Invariant D4: its name follows from the pool and the pods that it is for, so that two passes that
 * decide the same make one claim.
 */
import { nameHash } from '../../../api/hash.ts';
import { canonicalQuantity } from '../../../api/quantity.ts';
import type { NodeClaim, NodePool } from '../../../api/kinds/karpenter.ts';
import type { Pod } from '../../../api/kinds/pod.ts';
import { controllerReference, draftMeta } from '../../../api/meta.ts';
import { INSTANCE_TYPE_LABEL, NODE_POOL_LABEL } from '../../../api/node-labels.ts';
import { CAPACITY_TYPE_LABEL } from '../../node/virtual-nodes.ts';
import { TERMINATION_FINALIZER } from '../../node/state.ts';
import type { Requests } from '../../pod/requests.ts';
import { ZONE_LABEL } from '../../scheduling/cluster.ts';
import { askedGpus, type OpenMachine } from '../fleet.ts';
import { gpuNeeds, hasGpus } from '../gpu-needs.ts';
import {
  claimExpressions,
  intersection,
  poolRequirements,
  requirementsOf,
} from '../requirements.ts';
import { templateNode } from '../template-node.ts';
import { Needs } from '../type-list.ts';
import { driftHash } from './drift.ts';
import { CLAIM_LABEL, type ClaimControl } from './state.ts';

/** Of a machine for which pods were found. */
export interface PlannedMachine {
  readonly pool: NodePool;
  readonly machine: OpenMachine;
  readonly pods: readonly Pod[];
  /** Where it may be: more than its own zone, where its pods do not mind. */
  readonly zones: readonly string[];
  /** What its pods ask for. */
  readonly requests: Requests;
  /** The machines that it takes the place of, if it does. */
  readonly inPlaceOf?: Replaced;
}

export interface Replaced {
  readonly claims: readonly string[];
  /** What is launched costs less than this. */
  readonly usdPerHour: number;
}

/** As Karpenter: more types than these make a fleet request no more likely to be met. */
export const MAX_TYPES = 60;
/** A name's random part: 27^10 names. */
const HASH_LENGTH = 10;

export const POOL_HASH_ANNOTATION = 'karpenter.sh/nodepool-hash';

export function draftClaim(planned: PlannedMachine): NodeClaim {
  const { pool, machine, pods, zones, requests } = planned;
  const control = controlOf(planned);
  const text = pods
    .map(({ metadata }) => metadata.uid)
    .sort()
    .join();
  const name = `${pool.metadata.name}-${nameHash(`${pool.metadata.uid} ${text}`, HASH_LENGTH)}`;
  const { template } = pool.spec;
  const launch = requirementsOf([
    { key: INSTANCE_TYPE_LABEL, operator: 'In', values: [...control.types] },
    { key: ZONE_LABEL, operator: 'In', values: [...zones] },
    { key: CAPACITY_TYPE_LABEL, operator: 'In', values: [machine.kind.capacityType] },
  ]);
  const requirements = claimExpressions(intersection(poolRequirements(pool), launch));
  const { taints, startupTaints, expireAfter, terminationGracePeriod } = template.spec;
  const draft: NodeClaim & { readonly control: ClaimControl } = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: draftMeta({
      name,
      labels: {
        ...machine.kind.pool.labels,
        [NODE_POOL_LABEL]: pool.metadata.name,
        [CAPACITY_TYPE_LABEL]: machine.kind.capacityType,
      },
      annotations: {
        ...template.metadata?.annotations,
        [POOL_HASH_ANNOTATION]: driftHash(pool),
      },
      finalizers: [TERMINATION_FINALIZER],
      ownerReferences: [controllerReference(pool)],
    }),
    spec: {
      requirements: requirements.map(({ key, operator, values, minValues }) => ({
        ...{ key, operator },
        ...(values ? { values } : {}),
        ...(minValues ? { minValues } : {}),
      })),
      ...(taints ? { taints } : {}),
      ...(startupTaints ? { startupTaints } : {}),
      expireAfter,
      ...(terminationGracePeriod ? { terminationGracePeriod } : {}),
      resources: { requests: quantities(requests) },
    },
    status: {},
    control,
  };
  return draft;
}

function controlOf({ machine, zones, requests, inPlaceOf }: PlannedMachine): ClaimControl {
  const { kind, mask, cheapest } = machine;
  const planned = kind.types.types[cheapest];
  const gpus = gpuNeeds(askedGpus(machine.specs));
  const belowUsd = inPlaceOf?.usdPerHour ?? Infinity;
  const needs = new Needs();
  for (const resource in requests) needs.add(kind.types.room(resource), requests[resource] ?? 0);
  const fitting: string[] = [];
  let index = kind.types.cheapest(needs, mask, cheapest);
  // The list is in the order of prices.
  const isCheapEnough = () => (kind.types.prices[index] ?? 0) < belowUsd;
  while (index >= 0 && fitting.length < MAX_TYPES && isCheapEnough()) {
    const type = kind.types.types[index];
    const fits = type && hasGpus(type.room, gpus) && isWithinLimits(machine, index);
    if (fits) fitting.push(type.name);
    index = kind.types.cheapest(needs, mask, index + 1);
  }
  const { [CLAIM_LABEL]: _, ...labels } = templateNode(kind, '').metadata.labels ?? {};
  return {
    types: fitting,
    zones,
    capacityType: kind.capacityType,
    usdPerHour: kind.types.prices[cheapest] ?? 0,
    room: planned?.room ?? {},
    capacity: planned?.capacity ?? {},
    labels: { ...labels, ...planned?.labels },
    ...(inPlaceOf ? { replaces: inPlaceOf.claims } : {}),
  };
}

/** A limited pool launches what was counted with, or what is no larger than that. */
function isWithinLimits({ kind, cheapest }: OpenMachine, index: number): boolean {
  const [planned, other] = [
    kind.types.types[cheapest]?.capacity,
    kind.types.types[index]?.capacity,
  ];
  return Object.keys(kind.pool.left).every(
    (resource) => (other?.[resource] ?? 0) <= (planned?.[resource] ?? 0),
  );
}

const IN_BYTES: ReadonlySet<string> = new Set(['memory', 'ephemeral-storage']);

/** Numbers as quantities: cpu is counted in millicores, all else in whole units. */
export function quantities(amounts: Requests): { readonly [resource: string]: string } {
  const text = (resource: string, amount: number): string =>
    resource === 'cpu'
      ? canonicalQuantity(`${amount}m`)
      : IN_BYTES.has(resource) && amount % 1024 === 0
        ? canonicalQuantity(`${amount / 1024}Ki`)
        : String(amount);
  return Object.fromEntries(
    Object.entries(amounts).map(([resource, amount]) => [resource, text(resource, amount)]),
  );
}
