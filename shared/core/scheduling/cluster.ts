/**
 * The cluster as placement sees it: nodes are numbers in the order of their names, and their state
 * is columns of numbers (architecture D6). Owns room and domains; what plugins count besides is
 * theirs.
 *
 * Invariant: amounts are whole numbers below 2^53, so that sums are exact and do not depend on the
 * order of adding.
 */
import type { Node } from '../../api/kinds/node.ts';
import type { Labels } from '../../api/meta.ts';
import { amountOf, type Requests } from '../pod/requests.ts';
import { type Domains, numberValues } from './domains.ts';
import { PodIndex } from './pod-index.ts';

/** The node label that says what kind of machine stands behind a node. */
export const COMPUTE_LABEL = 'nullplane.io/compute';
/**
 * Nodes with this kind of compute stand for a service with room of its own: they have limits a pod,
 * but no sum.
 */
export const VIRTUAL_COMPUTE = 'fargate';

export const HOSTNAME_LABEL = 'kubernetes.io/hostname';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** The resource that counts pods, as `status.allocatable` calls it. */
export const PODS = 'pods';

/** One resource over all nodes. */
export interface Column {
  readonly resource: string;
  readonly allocatable: Float64Array;
  readonly used: Float64Array;
}

type Offer = readonly (readonly [resource: string, amount: number])[];

/** Stored objects are frozen, so that what is read from one need not be read in the next pass. */
const offers = new WeakMap<Node, Offer>();

export class Cluster {
  readonly nodes: readonly Node[];
  readonly isVirtual: Uint8Array;
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  readonly pods = new PodIndex();
  /**
   * The nodes whose room changed, in order: who keeps verdicts follows it from where it last read.
   */
  readonly log: number[] = [];
  readonly #byName: ReadonlyMap<string, number>;
  readonly #columns = new Map<string, Column>();
  readonly #domains = new Map<string, Domains>();

  constructor(nodes: readonly Node[], namespaceLabels: ReadonlyMap<string, Labels>) {
    this.nodes = [...nodes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    this.namespaceLabels = namespaceLabels;
    this.#byName = new Map(this.nodes.map((node, i) => [node.metadata.name, i]));
    this.isVirtual = Uint8Array.from(this.nodes, (node) => (isVirtualNode(node) ? 1 : 0));
    this.nodes.forEach((node, i) => {
      for (const [resource, amount] of offeredBy(node)) {
        this.column(resource).allocatable[i] = amount;
      }
    });
  }

  get size(): number {
    return this.nodes.length;
  }

  nodeNamed(name: string): number | undefined {
    return this.#byName.get(name);
  }

  /** The column of a resource; nodes that do not speak of it have none. */
  column(resource: string): Column {
    let column = this.#columns.get(resource);
    if (!column) {
      const zeros = () => new Float64Array(this.size);
      column = { resource, allocatable: zeros(), used: zeros() };
      this.#columns.set(resource, column);
    }
    return column;
  }

  /** The values of a label, numbered over the nodes that have it. */
  domains(label: string): Domains {
    let domains = this.#domains.get(label);
    if (!domains) {
      domains = numberValues(this.nodes, label);
      this.#domains.set(label, domains);
    }
    return domains;
  }

  /** Takes room of a node, or gives it back. */
  occupy(node: number, requests: Requests, sign: 1 | -1): void {
    for (const resource in requests) this.#add(resource, node, sign * (requests[resource] ?? 0));
    this.#add(PODS, node, sign);
    this.log.push(node);
  }

  #add(resource: string, node: number, amount: number): void {
    const { used } = this.column(resource);
    used[node] = (used[node] ?? 0) + amount;
  }
}

function offeredBy(node: Node): Offer {
  let offer = offers.get(node);
  if (!offer) {
    const quantities = Object.entries(node.status.allocatable ?? {});
    offer = quantities.map(([resource, quantity]) => [resource, amountOf(resource, quantity)]);
    offers.set(node, offer);
  }
  return offer;
}

export function isVirtualNode(node: Node): boolean {
  return node.metadata.labels?.[COMPUTE_LABEL] === VIRTUAL_COMPUTE;
}
