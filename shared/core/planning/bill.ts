/**
 * What pods that were placed cost an hour: tasks on Fargate by their size, machines that are
 * launched by their type, shared among their pods. Nodes that are there cost nothing more.
 *
 * Invariants:
 *  B1 The lines of the pods on a machine add up to its price.
 *  B2 Nothing depends on there being a price: where there is none, the line says so.
 */
import type { CapacityType } from '../../api/instance.ts';
import type { NodeClaim } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { INSTANCE_TYPE_LABEL, NODE_POOL_LABEL } from '../../api/node-labels.ts';
import { pricePerHour } from '../capacity/catalogue/prices.ts';
import { instanceType } from '../capacity/catalogue/types.ts';
import { claimControl } from '../capacity/claim/state.ts';
import { CAPACITY_TYPE_LABEL } from '../node/virtual-nodes.ts';
import { amountOf, podRequests } from '../pod/requests.ts';
import { fargateCost } from '../scheduling/decisions.ts';
import { isVirtualNode, ZONE_LABEL } from '../scheduling/cluster.ts';
import type { Workload } from './expand.ts';
import type { Simulated } from './simulate.ts';

export interface Bill {
  readonly lines: readonly BillLine[];
  /** What is launched; those that are alike together. */
  readonly machines: readonly BillMachine[];
  readonly usdPerHour: number;
  /** Some lines have no price, and are not in the sum. */
  readonly isIncomplete: boolean;
}

/** Pods of a workload that are in one kind of place. */
export interface BillLine {
  readonly workload: string;
  readonly namespace: string;
  readonly pods: number;
  readonly where: Where;
  /** Of all of them; undefined where no price is known. */
  readonly usdPerHour?: number;
  readonly isEstimate: boolean;
}

export type Where =
  | { readonly type: 'fargate'; readonly size: string; readonly capacityType: CapacityType }
  | {
      readonly type: 'machine';
      readonly instanceType: string;
      readonly zone: string;
      readonly capacityType: CapacityType;
    }
  | { readonly type: 'existing'; readonly node: string };

export interface BillMachine {
  readonly instanceType: string;
  readonly zone: string;
  readonly capacityType: CapacityType;
  readonly pool: string;
  readonly count: number;
  readonly usdPerHourEach: number;
  readonly isEstimate: boolean;
}

export function billOf(workloads: readonly Workload[], end: Simulated): Bill {
  const prices = new Prices(end);
  const lines = workloads.flatMap((workload) => linesOf(workload, end, prices));
  const known = lines.flatMap(({ usdPerHour }) => usdPerHour ?? []);
  return {
    lines,
    machines: machinesOf(end),
    usdPerHour: known.reduce((sum, usd) => sum + usd, 0),
    isIncomplete: known.length < lines.length,
  };
}

interface Priced {
  readonly where: Where;
  readonly usdPerHour?: number;
  readonly isEstimate: boolean;
}

function linesOf({ name, namespace, pods }: Workload, end: Simulated, prices: Prices): BillLine[] {
  const placed = new Map(end.pods.map((pod) => [pod.metadata.uid, pod]));
  const lines = new Map<string, BillLine>();
  for (const { metadata } of pods) {
    const priced = prices.of(placed.get(metadata.uid));
    if (!priced) continue;
    const key = JSON.stringify(priced.where);
    const { pods: count = 0, usdPerHour: before = 0 } = lines.get(key) ?? {};
    const { usdPerHour, ...rest } = priced;
    const sum = usdPerHour === undefined ? {} : { usdPerHour: before + usdPerHour };
    lines.set(key, { workload: name, namespace, pods: count + 1, ...rest, ...sum });
  }
  return [...lines.values()];
}

class Prices {
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #launched: ReadonlyMap<string, NodeClaim>;
  readonly #weights = new Map<string, number>();

  constructor({ nodes, launched, pods }: Simulated) {
    this.#nodes = new Map(nodes.map((node) => [node.metadata.name, node]));
    this.#launched = launched;
    for (const pod of pods) {
      const name = pod.spec.nodeName ?? '';
      if (!launched.has(name)) continue;
      this.#weights.set(name, (this.#weights.get(name) ?? 0) + this.#weightOf(pod));
    }
  }

  /** Undefined for a pod that has no place. */
  of(pod: Pod | undefined): Priced | undefined {
    const node = this.#nodes.get(pod?.spec.nodeName ?? '');
    if (!pod || !node) return undefined;
    if (isVirtualNode(node)) return onFargate(pod, node);
    const { name } = node.metadata;
    const claim = this.#launched.get(name);
    const machine = claim && machineOf(claim);
    if (!machine) {
      return { where: { type: 'existing', node: name }, usdPerHour: 0, isEstimate: false };
    }
    const { pool: _, count: _count, usdPerHourEach, isEstimate, ...place } = machine;
    const share = this.#weightOf(pod) / (this.#weights.get(name) ?? 1);
    const usdPerHour = usdPerHourEach * share;
    return { where: { type: 'machine', ...place }, usdPerHour, isEstimate };
  }

  /** How much of its machine the pod takes: the largest part of any resource. */
  #weightOf({ spec }: Pod): number {
    const { allocatable = {} } = this.#nodes.get(spec.nodeName ?? '')?.status ?? {};
    const parts = Object.entries({ ...podRequests(spec), pods: 1 }).map(([resource, amount]) => {
      const room = amountOf(resource, allocatable[resource] ?? '0');
      return room > 0 ? amount / room : 0;
    });
    return Math.max(...parts);
  }
}

function onFargate(pod: Pod, node: Node): Priced {
  const cost = fargateCost(podRequests(pod.spec), node);
  const capacityType = node.metadata.labels?.[CAPACITY_TYPE_LABEL] as CapacityType;
  const where = { type: 'fargate', size: cost?.of ?? '', capacityType } as const;
  const isEstimate = cost?.isEstimate === true;
  return { where, isEstimate, ...(cost ? { usdPerHour: cost.usdPerHour } : {}) };
}

function machineOf(claim: NodeClaim): BillMachine | undefined {
  const control = claimControl(claim);
  if (!control) return undefined;
  const { capacityType, usdPerHour: usdPerHourEach, types, zones, labels } = control;
  const name = labels[INSTANCE_TYPE_LABEL] ?? types[0] ?? '';
  const zone = labels[ZONE_LABEL] ?? zones[0] ?? '';
  const type = instanceType(name);
  const isEstimate = !type || pricePerHour(type, capacityType, zone).isEstimate;
  const pool = claim.metadata.labels?.[NODE_POOL_LABEL] ?? '';
  return { instanceType: name, zone, capacityType, pool, count: 1, usdPerHourEach, isEstimate };
}

function machinesOf({ launched }: Simulated): readonly BillMachine[] {
  const alike = Map.groupBy(
    [...launched.values()].flatMap((claim) => machineOf(claim) ?? []),
    (machine) => JSON.stringify(machine),
  );
  return [...alike.values()].flatMap(([first, ...others]) =>
    first ? [{ ...first, count: 1 + others.length }] : [],
  );
}
