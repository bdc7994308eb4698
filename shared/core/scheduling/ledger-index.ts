/** In which ledgers a pod is entered, whether anybody knows the pod or not. */
import type { NodeAllocation } from '../../api/kinds/node.ts';

export class LedgerIndex {
  readonly #byUid = new Map<string, readonly string[]>();

  constructor(ledgers: Iterable<NodeAllocation>) {
    for (const ledger of ledgers) this.change(undefined, ledger);
  }

  /** The nodes whose ledgers have an entry for the pod. */
  nodesOf(podUid: string): readonly string[] {
    return this.#byUid.get(podUid) ?? [];
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
    this.#byUid.set(podUid, [...this.nodesOf(podUid), node]);
  }

  #remove(podUid: string, node: string): void {
    const left = [...this.nodesOf(podUid)];
    left.splice(left.indexOf(node), 1);
    if (left.length > 0) this.#byUid.set(podUid, left);
    else this.#byUid.delete(podUid);
  }
}
