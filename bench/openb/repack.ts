/**
 * Makes room for a pod that finds no place, by moving others that do. It leaves the online
 * protocol, in which nothing moves: figures of it stand in a row of their own.
 *
 * For each node: take away all pods that would find a place elsewhere, and put back what need not
 * go for the new pod to fit, the largest first. The node where the fewest have to go is tried
 * first; each pod that goes is placed by the policy itself.
 *
 * Invariants:
 *  R1 A pod that was placed keeps a place: when one of the moves fails, all are taken back.
 */
import type {
  DeviceAccounts,
  DeviceSet,
  PlacedRequest,
} from '../../shared/core/scheduling/gpu/devices.ts';
import { gpuMilli } from '../../shared/core/scheduling/gpu/request.ts';
import type { Ledger, Placer } from './ledger.ts';
import type { Policy, Run } from './protocol.ts';

/** Pods that may move for one that comes. */
const MAX_MOVES = 4;

/** Nodes that are tried for one pod. */
const MAX_TRIALS = 16;

interface Placed {
  readonly spec: PlacedRequest;
  readonly on: DeviceSet;
}

/** Pods of a node that would have to go. */
interface Way {
  readonly node: number;
  readonly gone: readonly Placed[];
}

export function repacking(policy: Policy): Policy {
  return (run) => new Repacking(policy(run), run);
}

class Repacking implements Placer {
  readonly score: Placer['score'];
  readonly devices: Placer['devices'];
  moves = 0;
  readonly #placer: Placer;
  readonly #accounts: DeviceAccounts;
  readonly #pods: Placed[][];
  /** Specs that were refused since anything changed. */
  readonly #hopeless = new Set<PlacedRequest>();

  constructor(placer: Placer, { accounts }: Run) {
    this.#placer = placer;
    this.#accounts = accounts;
    this.#pods = Array.from({ length: accounts.size }, () => []);
    this.score = (node, spec) => placer.score(node, spec);
    this.devices = (node, spec) => placer.devices(node, spec);
  }

  placed(node: number, spec: PlacedRequest, on: DeviceSet): void {
    this.#pods[node]?.push({ spec, on });
    this.#hopeless.clear();
  }

  refused(spec: PlacedRequest, ledger: Ledger): number | undefined {
    if (this.#hopeless.has(spec)) return undefined;
    this.#hopeless.add(spec);
    const way = this.#ways(spec, ledger).find((tried) => this.#go(tried, spec, ledger));
    return way?.node;
  }

  /** The fewest moves first, and of those the fewest GPUs. */
  #ways(spec: PlacedRequest, ledger: Ledger): readonly Way[] {
    const movable = new Map<PlacedRequest, boolean>();
    const canMove = (pod: Placed): boolean => {
      const known = movable.get(pod.spec);
      const can = known ?? ledger.choose(this.#placer, pod.spec) !== undefined;
      movable.set(pod.spec, can);
      return can;
    };
    return this.#pods
      .flatMap((pods, node) => this.#wayOf(node, pods.filter(canMove), spec))
      .sort((a, b) => a.gone.length - b.gone.length || milliOf(a.gone) - milliOf(b.gone))
      .slice(0, MAX_TRIALS);
  }

  #wayOf(node: number, movable: readonly Placed[], spec: PlacedRequest): readonly Way[] {
    if (movable.length === 0) return [];
    const accounts = this.#accounts;
    for (const pod of movable) accounts.place(node, pod.spec, pod.on, -1);
    const gone: Placed[] = [];
    const fits = accounts.fits(node, spec);
    for (const pod of [...movable].sort((a, b) => gpuMilli(b.spec) - gpuMilli(a.spec))) {
      accounts.place(node, pod.spec, pod.on);
      if (!fits || accounts.fits(node, spec)) continue;
      accounts.place(node, pod.spec, pod.on, -1);
      gone.push(pod);
    }
    for (const pod of gone) accounts.place(node, pod.spec, pod.on);
    return fits && gone.length <= MAX_MOVES ? [{ node, gone }] : [];
  }

  /** Moves the pods while the new one holds its room; as it was when one finds no place. */
  #go({ node, gone }: Way, spec: PlacedRequest, ledger: Ledger): boolean {
    for (const pod of gone) ledger.move(node, pod.spec, pod.on, -1);
    const on = this.devices(node, spec);
    ledger.move(node, spec, on, 1);
    const moved = this.#placeAll(gone, ledger);
    ledger.move(node, spec, on, -1);
    if (moved.length < gone.length) {
      for (const { pod, to } of moved) ledger.move(to, pod.spec, pod.on, -1);
      for (const pod of gone) ledger.move(node, pod.spec, pod.on, 1);
      return false;
    }
    this.#pods[node] = (this.#pods[node] ?? []).filter((pod) => !gone.includes(pod));
    for (const { pod, to } of moved) this.#pods[to]?.push(pod);
    this.moves += moved.length;
    return true;
  }

  /** Stops at the first that finds no place. */
  #placeAll(pods: readonly Placed[], ledger: Ledger): { readonly pod: Placed; to: number }[] {
    const moved: { readonly pod: Placed; to: number }[] = [];
    for (const { spec } of pods) {
      const to = ledger.choose(this.#placer, spec);
      if (to === undefined) break;
      const pod = { spec, on: this.devices(to, spec) };
      ledger.move(to, spec, pod.on, 1);
      moved.push({ pod, to });
    }
    return moved;
  }
}

function milliOf(pods: readonly Placed[]): number {
  return pods.reduce((sum, { spec }) => sum + gpuMilli(spec), 0);
}
