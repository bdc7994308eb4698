/**
 * Slots: the identity of a ReplicaSet's pods. A set of n replicas fills n slots; the pods that fill
 * a slot one after the other are its incarnations. Name and identity of a pod follow from (set uid,
 * slot, incarnation), so that a creation that is repeated, replayed or raced makes the same pod and
 * not another (architecture D4).
 *
 * The first incarnation that is known of an empty slot is always the same, whatever the set's
 * generation is: two looks that both miss a pod (a lagging index, a scaling in between) then still
 * agree on its name. The price is that a name may come back, under another uid, after a set was
 * scaled down and up.
 */
import { admitPodSpec } from '../../api/defaults.ts';
import { nameHash } from '../../api/hash.ts';
import type { Pod, PodTemplate } from '../../api/kinds/pod.ts';
import type { ReplicaSet } from '../../api/kinds/workloads.ts';
import { controllerReference, draftMeta } from '../../api/meta.ts';
import { generatedNamePrefix } from '../../api/names.ts';
import { qosClassOf } from '../../api/qos.ts';
import { podIsActive } from '../pod/predicates.ts';

/** `slot/incarnation` of a pod, as decimal integers. */
export const SLOT_ANNOTATION = 'nullplane.io/slot';

const FIRST_INCARNATION = 1;
/** Suffixes as long as those that kubectl users know. */
const SUFFIX_LENGTH = 5;

interface Slot {
  readonly slot: number;
  readonly incarnation: number;
}

/**
 * The slot of the pod; undefined for adopted pods and those whose annotation somebody has changed.
 */
export function slotOf(pod: Pod): Slot | undefined {
  const match = /^(\d{1,9})\/(\d{1,9})$/.exec(pod.metadata.annotations?.[SLOT_ANNOTATION] ?? '');
  return match ? { slot: Number(match[1]), incarnation: Number(match[2]) } : undefined;
}

/**
 * Pods for the lowest `count` slots that no active pod fills, each under a name that no known pod
 * has.
 */
export function podsForFreeSlots(
  set: ReplicaSet,
  template: PodTemplate,
  pods: readonly Pod[],
  count: number,
): readonly Pod[] {
  const names = new Set(pods.map((pod) => pod.metadata.name));
  const { filled, latest } = survey(pods);
  const admitted = admit(template);
  const made: Pod[] = [];
  for (let slot = 0; made.length < count; slot++) {
    if (filled.has(slot)) continue;
    let incarnation = (latest.get(slot) ?? FIRST_INCARNATION - 1) + 1;
    // Short names collide now and then in large sets: the next incarnation has another one.
    while (names.has(nameOf(set, { slot, incarnation }))) incarnation++;
    names.add(nameOf(set, { slot, incarnation }));
    made.push(podFor(set, admitted, { slot, incarnation }));
  }
  return made;
}

type Admitted = Pick<PodTemplate, 'metadata'> & Pick<Pod, 'spec' | 'status'>;

/** What the server would have filled in, had a client created the pods; once for all of them. */
function admit({ metadata, spec }: PodTemplate): Admitted {
  const admitted = admitPodSpec(spec);
  return { metadata, spec: admitted, status: { phase: 'Pending', qosClass: qosClassOf(admitted) } };
}

function survey(pods: readonly Pod[]) {
  const filled = new Set<number>();
  const latest = new Map<number, number>();
  for (const pod of pods) {
    const at = slotOf(pod);
    if (!at) continue;
    if (podIsActive(pod)) filled.add(at.slot);
    latest.set(at.slot, Math.max(latest.get(at.slot) ?? 0, at.incarnation));
  }
  return { filled, latest };
}

function nameOf({ metadata }: ReplicaSet, { slot, incarnation }: Slot): string {
  const suffix = nameHash(`${metadata.uid}/${slot}/${incarnation}`, SUFFIX_LENGTH);
  return generatedNamePrefix(metadata.name) + suffix;
}

/** The pod of the set's template for this slot. */
function podFor(set: ReplicaSet, template: Admitted, slot: Slot): Pod {
  const { labels, annotations, finalizers } = template.metadata;
  const { name, namespace } = set.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: draftMeta({
      name: nameOf(set, slot),
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      annotations: { ...annotations, [SLOT_ANNOTATION]: `${slot.slot}/${slot.incarnation}` },
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(set)],
    }),
    spec: template.spec,
    status: template.status,
  };
}
