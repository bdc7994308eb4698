/**
 * The cluster as placement sees it: nodes are numbers, those it began with in the order of their
 * names, and their state is columns of numbers (architecture D6). Owns room and domains; what
 * plugins count besides is theirs. Nodes may be added, such as machines that could be launched;
 * none is taken away.
 *
 * Invariants:
 *  U1 Amounts are whole numbers below 2^53, so that sums are exact and do not depend on the order
 *     of adding.
 *  U2 Arrays are longer than there are nodes, and are replaced as they grow: they are read through
 *     their owner each time, never kept.
 */
import type { Node } from '../../api/kinds/node.ts';
import type { Labels } from '../../api/meta.ts';
import { amountOf, type Requests } from '../pod/requests.ts';
import { type Domains, labelDomains } from './domains.ts';
import { DeviceBook } from './gpu/device-book.ts';
import { grown } from './grown.ts';
import { matchesRequired, mayMatch, type Selection } from './node-selector.ts';
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

/**
 * One resource over all nodes. Kept from the first node that has to do with it to the last: of a
 * resource that a single node offers, there are thousands.
 */
export class Column {
  readonly resource: string;
  #from = 0;
  #allocatable: Float64Array<ArrayBuffer> = NO_AMOUNTS;
  #used: Float64Array<ArrayBuffer> = NO_AMOUNTS;

  constructor(resource: string) {
    this.resource = resource;
  }

  /** The nodes that have to do with it: from the first of them on, and before `to`. */
  get range(): { readonly from: number; readonly to: number } {
    return { from: this.#from, to: this.#from + this.#allocatable.length };
  }

  allocatableAt(node: number): number {
    return node < this.#from ? 0 : (this.#allocatable[node - this.#from] ?? 0);
  }

  usedAt(node: number): number {
    return node < this.#from ? 0 : (this.#used[node - this.#from] ?? 0);
  }

  setAllocatable(node: number, amount: number): void {
    this.#reach(node);
    this.#allocatable[node - this.#from] = amount;
  }

  use(node: number, amount: number): void {
    this.#reach(node);
    const at = node - this.#from;
    this.#used[at] = (this.#used[at] ?? 0) + amount;
  }

  #reach(node: number): void {
    if (this.#used.length === 0) this.#from = node;
    const before = Math.max(0, this.#from - node);
    this.#from -= before;
    const length = Math.max(this.#used.length + before, node - this.#from + 1);
    this.#allocatable = reaching(this.#allocatable, before, length);
    this.#used = reaching(this.#used, before, length);
  }
}

const NO_AMOUNTS = new Float64Array(0);

/** The array with so many numbers before it, at least so long. */
function reaching(array: Float64Array<ArrayBuffer>, before: number, length: number) {
  if (before === 0) return grown(array, length);
  const next = new Float64Array(length);
  next.set(array, before);
  return next;
}

type Offer = readonly (readonly [resource: string, amount: number])[];

/** Stored objects are frozen, so that what is read from one need not be read in the next pass. */
const offers = new WeakMap<Node, Offer>();

export class Cluster {
  readonly nodes: Node[] = [];
  isVirtual = new Uint8Array(0);
  /** Nodes that are cordoned or have taints: few, and the others need not be looked at for them. */
  isMarked = new Uint8Array(0);
  /** Machines that are yet to be launched: what they have is not decided (capacity/fleet.ts). */
  isOpen = new Uint8Array(0);
  /** Whether there is a node whose room is not what it says it is: a virtual or an open one. */
  hasBoundless = false;
  /** Machines that were asked for and have not joined. */
  isComing = new Uint8Array(0);
  /** Labels that an open machine will have, and whose values are not decided. */
  readonly openLabels: ReadonlySet<string>;
  readonly namespaceLabels: ReadonlyMap<string, Labels>;
  readonly pods = new PodIndex();
  readonly gpus = new DeviceBook(this);
  /**
   * The nodes whose room changed, in order: who keeps verdicts follows it from where it last read.
   */
  readonly log: number[] = [];
  /** How often the log was begun anew. */
  clearings = 0;
  /** By node: where in the log it was last; of what the log says of a node, only that counts. */
  lastAt = new Int32Array(0);
  readonly #byName = new Map<string, number>();
  readonly #columns = new Map<string, Column>();
  #inOrder: readonly Column[] | undefined;
  readonly #labels = new Map<string, Domains>();
  /** Domains that leave nodes out. */
  readonly #narrowed: Domains[] = [];

  constructor(
    nodes: readonly Node[],
    namespaceLabels: ReadonlyMap<string, Labels>,
    openLabels: ReadonlySet<string> = new Set(),
  ) {
    this.namespaceLabels = namespaceLabels;
    this.openLabels = openLabels;
    const inOrder = [...nodes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
    for (const node of inOrder) this.add(node);
  }

  get size(): number {
    return this.nodes.length;
  }

  /** Takes another node in, after those that are there. */
  add(node: Node, { isOpen = false, isComing = false } = {}): number {
    const index = this.nodes.push(node) - 1;
    this.#byName.set(node.metadata.name, index);
    this.isVirtual = grown(this.isVirtual, index + 1);
    this.isVirtual[index] = isVirtualNode(node) ? 1 : 0;
    this.isMarked = grown(this.isMarked, index + 1);
    this.isMarked[index] = isMarked(node) ? 1 : 0;
    this.isOpen = grown(this.isOpen, index + 1);
    this.isOpen[index] = isOpen ? 1 : 0;
    this.hasBoundless ||= isOpen || this.isVirtual[index] === 1;
    this.isComing = grown(this.isComing, index + 1);
    this.isComing[index] = isComing ? 1 : 0;
    this.lastAt = grown(this.lastAt, index + 1);
    for (const [resource, amount] of offeredBy(node)) {
      this.column(resource).setAllocatable(index, amount);
    }
    this.changed(index);
    for (const domains of this.#labels.values()) domains.add(node, index);
    for (const domains of this.#narrowed) domains.add(node, index);
    return index;
  }

  /**
   * The resources that anything asks for or offers, in the order of their names: the same list as
   * long as there are no others.
   */
  get columns(): readonly Column[] {
    this.#inOrder ??= [...this.#columns.values()].sort(byResource);
    return this.#inOrder;
  }

  /** Whether the node is one that the selection means, as far as its labels are decided. */
  isSelected(index: number, selection: Selection): boolean {
    const node = this.nodes[index];
    if (!node) return false;
    return this.isOpen[index] === 1
      ? mayMatch(node, selection, this.openLabels)
      : matchesRequired(node, selection);
  }

  nodeNamed(name: string): number | undefined {
    return this.#byName.get(name);
  }

  /** The column of a resource; nodes that do not speak of it have nothing of it. */
  column(resource: string): Column {
    let column = this.#columns.get(resource);
    if (!column) {
      column = new Column(resource);
      this.#columns.set(resource, column);
      this.#inOrder = undefined;
    }
    return column;
  }

  /** The values of a label, numbered over the nodes that have it. */
  domains(label: string): Domains {
    let domains = this.#labels.get(label);
    if (!domains) {
      domains = labelDomains(this.nodes, label);
      this.#labels.set(label, domains);
    }
    return domains;
  }

  /** Keeps domains of somebody's own making up to date as nodes are added. */
  follow(domains: Domains): Domains {
    this.#narrowed.push(domains);
    return domains;
  }

  /** Takes room of a node, or gives it back. */
  occupy(node: number, requests: Requests, sign: 1 | -1): void {
    for (const resource in requests) this.#add(resource, node, sign * (requests[resource] ?? 0));
    this.#add(PODS, node, sign);
    this.changed(node);
  }

  /** Has verdicts on the node renewed. */
  changed(node: number): void {
    this.lastAt[node] = this.log.push(node) - 1;
  }

  /** Nobody may follow it any more who has read of it. */
  clearLog(): void {
    this.clearings++;
    this.log.length = 0;
    this.lastAt.fill(0);
  }

  /** Puts a node in the place of one that offers the same under the same name. */
  replace(index: number, node: Node): void {
    this.nodes[index] = node;
  }

  #add(resource: string, node: number, amount: number): void {
    this.column(resource).use(node, amount);
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

function byResource(a: Column, b: Column): number {
  return a.resource < b.resource ? -1 : 1;
}

function isMarked({ spec }: Node): boolean {
  return spec.unschedulable === true || (spec.taints ?? []).length > 0;
}

export function isVirtualNode(node: Node): boolean {
  return node.metadata.labels?.[COMPUTE_LABEL] === VIRTUAL_COMPUTE;
}
