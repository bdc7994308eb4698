/**
 * S9 of rollouts: U1 and U2 of core/deployment/rolling.ts, judged where nobody but a Deployment's
 * controllers, as they are now, changes the number of its pods.
 */
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Deployment, ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import { controllerOf } from '../../../shared/api/meta.ts';
import type { Violation } from '../../../shared/core/invariants.ts';
import { limitsOf } from '../../../shared/core/deployment/limits.ts';
import { isTerminal, podIsActive, podIsReady } from '../../../shared/core/pod/predicates.ts';
import type { FaultKind } from '../faults/catalogue.ts';
import type { Fault } from '../faults/fault.ts';

/** Faults that neither hide pods nor make late ones. */
const HARMLESS = new Set<FaultKind>([
  'crashBefore',
  'crashAfter',
  'lostRequest',
  'lostAnswer',
  'lostLaunch',
  'conflict',
  'streamLoss',
  'streamDelay',
  'healthLoss',
  'healthDelay',
  'healthDuplicate',
  'timerLoss',
  'queueDelay',
  'scheduleTwin',
]);

/** Whether rollouts may be judged although these strike. */
export function leaveRolloutsAlone(faults: readonly Fault[]): boolean {
  return faults.every(({ kind, with: incident }) => HARMLESS.has(kind) && incident === undefined);
}

export interface Fleets {
  readonly deployments: readonly Deployment[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

/** How long what was decided by the size of before may still be under way. */
const UNDER_WAY_MS = 2_000;

export class Rollouts {
  readonly #nowMs: () => number;
  /** When each Deployment was last given another size, paused, or resumed. */
  readonly #resizedAtMs = new Map<string, number>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  deploymentChanged(was: Deployment | undefined, is: Deployment): void {
    const isSame = was?.spec.replicas === is.spec.replicas && was.spec.paused === is.spec.paused;
    if (!isSame) this.#resizedAtMs.set(is.metadata.uid, this.#nowMs());
  }

  /** S8: no revision begins while its Deployment is paused. */
  setMade(set: ReplicaSet, deployments: readonly Deployment[]): readonly Violation[] {
    const owner = controllerOf(set)?.uid ?? '';
    const deployment = deployments.find(({ metadata }) => metadata.uid === owner);
    if (!deployment?.spec.paused || this.#isUnderWay(owner)) return [];
    const message = `${set.metadata.name} is made while ${deployment.metadata.name} is paused`;
    return [{ invariant: 'S8', message }];
  }

  #isUnderWay(uid: string): boolean {
    return this.#nowMs() - (this.#resizedAtMs.get(uid) ?? 0) < UNDER_WAY_MS;
  }

  /** U1: a pod that was just made is within the surge. */
  made(pod: Pod, fleets: Fleets): readonly Violation[] {
    const fleet = this.#fleetOf(pod, fleets);
    if (!fleet) return [];
    const { name, active, spec, sets } = fleet;
    if (spec.strategy.type === 'Recreate') return this.#madeAnew(pod, name, fleets.pods, sets);
    const most = spec.replicas + limitsOf(spec).maxSurge;
    if (active.length <= most) return [];
    const message = `${name} has ${active.length} pods, and may have ${most}`;
    return [{ invariant: 'S9', message }];
  }

  /** Recreate: nothing of another revision is left, not even on its way out. */
  #madeAnew(
    pod: Pod,
    name: string,
    pods: readonly Pod[],
    sets: ReadonlySet<string>,
  ): readonly Violation[] {
    const own = controllerOf(pod)?.uid ?? '';
    const others = pods.filter((other) => {
      const set = controllerOf(other)?.uid ?? '';
      return set !== own && sets.has(set) && !isTerminal(other);
    });
    if (others.length === 0) return [];
    const message = `${name} makes pods anew beside ${others.length} of before`;
    return [{ invariant: 'S9', message }];
  }

  /** U2: a pod that was just told to go leaves enough that are ready. */
  deleted(pod: Pod, fleets: Fleets): readonly Violation[] {
    const fleet = podIsReady(pod) ? this.#fleetOf(pod, fleets) : undefined;
    if (!fleet) return [];
    const { name, active, spec } = fleet;
    if (spec.strategy.type === 'Recreate') return [];
    const fewest = spec.replicas - limitsOf(spec).maxUnavailable;
    const ready = active.filter(podIsReady).length;
    if (ready >= fewest) return [];
    const message = `${name} has ${ready} ready pods, and needs ${fewest}`;
    return [{ invariant: 'S9', message }];
  }

  /** The Deployment that a pod is of, while it rolls out within limits. */
  #fleetOf(pod: Pod, { deployments, replicaSets, pods }: Fleets) {
    const setUid = controllerOf(pod)?.uid;
    const set = replicaSets.find(({ metadata }) => metadata.uid === setUid);
    const owner = set && controllerOf(set)?.uid;
    const deployment = deployments.find(({ metadata }) => metadata.uid === owner);
    if (!deployment || deployment.metadata.deletionTimestamp !== undefined) return undefined;
    const { spec, metadata } = deployment;
    if (this.#isUnderWay(metadata.uid)) return undefined;
    const sets = new Set(
      replicaSets.filter((s) => controllerOf(s)?.uid === owner).map((s) => s.metadata.uid),
    );
    const active = pods.filter(
      (other) => sets.has(controllerOf(other)?.uid ?? '') && podIsActive(other),
    );
    return { name: metadata.name, active, spec, sets };
  }
}
