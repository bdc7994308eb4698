/**
 * When pods have to leave a node: NoExecute taints, and how long each pod puts up with them. Owns
 * the limits of self-healing as well: a partition of ours must not look like the death of a fleet.
 */
import type { Taint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject } from '../../api/meta.ts';
import { controllerOf } from '../../api/meta.ts';
import { parseTime } from '../../api/time.ts';
import { podIsActive, podIsReady } from '../pod/predicates.ts';
import { tolerates } from '../scheduling/tolerations.ts';
import { NOT_READY_TAINT, UNREACHABLE_TAINT } from './state.ts';

/** As long as Kubernetes' admission lets pods stay on a lost node that do not say otherwise. */
const DEFAULT_TOLERATION_SECONDS = 300;

/**
 * Pods that leave one node in one pass, and the pause after it: at most 50 pods a second and node.
 */
export const EVICTIONS_PER_PASS = 50;
export const EVICTION_PAUSE_MS = 1_000;

/**
 * While more than this part of all nodes is unreachable, it is more likely that we are cut off than
 * that they are all dead: nobody is evicted for it (Kubernetes has the same limit).
 */
export const UNREACHABLE_SHARE_LIMIT = 0.55;

/**
 * The off switch: no pod is evicted from a node with this annotation, whatever its value.
 * `kubectl annotate nodes --all nullplane.io/no-eviction=incident-42` is the whole cluster's.
 */
export const NO_EVICTION_ANNOTATION = 'nullplane.io/no-eviction';

export function evictionIsOff(node: Node): boolean {
  return node.metadata.annotations?.[NO_EVICTION_ANNOTATION] !== undefined;
}

/** When the pod has to leave; Infinity when it may stay for ever. */
export function evictionTimeMs(pod: Pod, taints: readonly Taint[], nowMs: number): number {
  const times = taints.map((taint) => {
    const fromMs = parseTime(taint.timeAdded) ?? nowMs;
    return fromMs + toleratedSeconds(pod, taint) * 1000;
  });
  return Math.min(Infinity, ...times);
}

/** The shortest of the tolerations that match, as in Kubernetes; 0 without any. */
function toleratedSeconds({ spec }: Pod, taint: Taint): number {
  const matching = (spec.tolerations ?? []).filter((toleration) => tolerates([toleration], taint));
  if (matching.length === 0) return isLost(taint) ? DEFAULT_TOLERATION_SECONDS : 0;
  const seconds = matching.map(({ tolerationSeconds }) => tolerationSeconds ?? Infinity);
  return Math.max(0, Math.min(...seconds));
}

/** Pods made by controllers have not been through the admission that adds these tolerations. */
function isLost({ key }: Taint): boolean {
  return key === UNREACHABLE_TAINT || key === NOT_READY_TAINT;
}

/** Pods and nodes that ask to be left alone while there is a choice; Karpenter's annotation. */
const DO_NOT_DISRUPT_ANNOTATION = 'karpenter.sh/do-not-disrupt';

export function asksToStay({ metadata }: Pick<KubeObject, 'metadata'>): boolean {
  return metadata.annotations?.[DO_NOT_DISRUPT_ANNOTATION] === 'true';
}

/**
 * The pods that may be asked to leave a node now where nothing presses: of each owner one at a
 * time, so that its replacement is on its way before the next of them goes. Those that are not
 * ready come first: they are missed least, and their budget often lets them go.
 */
export function gentlyEvictable(pods: readonly Pod[]): readonly Pod[] {
  const busy = new Set(pods.filter((pod) => isLeaving(pod)).map(ownerOf));
  const rank = (pod: Pod) => (podIsReady(pod) ? 1 : 0);
  const inOrder = [...pods].sort((a, b) => rank(a) - rank(b));
  return inOrder.filter((pod) => {
    const owner = ownerOf(pod);
    if (busy.has(owner) || !podIsActive(pod) || asksToStay(pod)) return false;
    busy.add(owner);
    return true;
  });
}

/** The uid of who makes the pod anew; its own where nobody does. */
export function ownerOf(pod: Pod): string {
  return controllerOf(pod)?.uid ?? pod.metadata.uid;
}

function isLeaving({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}
