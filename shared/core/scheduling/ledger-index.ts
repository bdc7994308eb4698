/** In which ledgers a pod is entered, whether anybody knows the pod or not. */
import type { NodeAllocation } from '../../api/kinds/node.ts';

export class LedgerIndex {
  /** Nearly all pods are in one ledger: a list for each would take more room than all names. */
  readonly #byUid = new Map<string, string | readonly string[]>();

  constructor(ledgers: Iterable<NodeAllocation>) {
    for (const ledger of ledgers) this.change(undefined, ledger);
  }

  /** The nodes whose ledgers have an entry for the pod. */
  nodesOf(podUid: string): readonly string[] {
    const nodes = this.#byUid.get(podUid) ?? [];
    return typeof nodes === 'string' ? [nodes] : nodes;
  }

  /** One version of a ledger follows another; entries are mostly added at its end. */
  change(before: NodeAllocation | undefined, now: NodeAllocation | undefined): void {
    const [old, next] = [before?.allocations ?? [], now?.allocations ?? []];
    let same = 0;
    while (same < old.length && old[same]?.podUid === next[same]?.podUid) same++;
    for (const { podUid } of old.slice(same)) this.#remove(podUid, before?.metadata.name ?? '');
    for (const { podUid } of next.slice(same)) this.#add(podUid, now?.metadata.name ?? '');
  }

  #add(podUid: string, node: string): void {
    const others = this.#byUid.get(podUid);
    this.#byUid.set(podUid, others === undefined ? node : [...this.nodesOf(podUid), node]);
  }

  #remove(podUid: string, node: string): void {
    const left = [...this.nodesOf(podUid)];
    left.splice(left.indexOf(node), 1);
    const [one, ...more] = left;
    if (one === undefined) this.#byUid.delete(podUid);
    else this.#byUid.set(podUid, more.length > 0 ? left : one);
  }
}
