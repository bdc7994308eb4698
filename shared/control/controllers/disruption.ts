/**
 * The disruption controller: woken by budgets, by what counts of their pods, and by the scale of
 * those who own pods.
 *
 * Invariant R1: the budget is read before the pods. A grant that comes after makes the write fail;
 * of one that was there before, the pods show what became of it, or the budget still holds it.
 */
import { type Change, keyOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { Pod, PodTemplate } from '../../api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../api/kinds/policy.ts';
import {
  type AnyObject,
  controllerOf,
  type KubeObject,
  type Labels,
  type ObjectKey,
  type OwnerReference,
} from '../../api/meta.ts';
import { RESOURCES, resourceTypeOf } from '../../api/resources.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { BUDGETS, isOf } from '../../core/disruption/budgets.ts';
import { type DisruptionSnapshot, planDisruption, type Scale } from '../../core/disruption/plan.ts';
import { podIsReady } from '../../core/pod/predicates.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

export const disruptionController: Controller<DisruptionSnapshot> = {
  name: 'disruption',
  resource: BUDGETS,
  wakes,
  snapshot,
  plan: planDisruption,
};

/** What may own pods and says how many of them there are to be. */
const SCALED = new Set(
  RESOURCES.filter(({ subresources }) => subresources.includes('scale')).map(({ name }) => name),
);

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const { resource, type, object } = change;
  if (resource === BUDGETS) return type === 'put' ? [keyOf(BUDGETS, object)] : [];
  const isNews =
    resource === 'pods' ? differs(change, countedOf) : SCALED.has(resource) && isRescaled(change);
  if (!isNews) return [];
  const labels = statesOf(change).map(resource === 'pods' ? labelsOf : templateLabelsOf);
  const namespace = object.metadata.namespace ?? '';
  const budgets = await listAll<PodDisruptionBudget>(read, { resource: BUDGETS, namespace });
  return budgets
    .filter(({ spec }) => labels.some((one) => matchesSelector(spec.selector, one)))
    .map((budget) => keyOf(BUDGETS, budget));
}

function statesOf({ object, previous }: Change): readonly AnyObject[] {
  return previous ? [object, previous] : [object];
}

function differs({ type, object, previous }: Change, of: (object: AnyObject) => unknown): boolean {
  return type === 'delete' || !previous || !sameJson(of(object), of(previous));
}

/** What a budget looks at of a pod. */
function countedOf(object: AnyObject): unknown {
  const { labels, deletionTimestamp } = object.metadata;
  const isReady = podIsReady(object as unknown as Pod);
  return [labels, isReady, deletionTimestamp !== undefined, controllerOf(object)?.uid];
}

/** Of those that somebody else controls, that one's scale counts. */
function isRescaled(change: Change): boolean {
  return !controllerOf(change.object) && differs(change, replicasOf);
}

interface Scaled {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplate };
}

const replicasOf = (object: KubeObject) => (object as Scaled).spec?.replicas ?? 0;
const labelsOf = ({ metadata }: AnyObject): Labels | undefined => metadata.labels;
const templateLabelsOf = (object: AnyObject): Labels | undefined =>
  (object as Scaled).spec?.template?.metadata.labels;

/** The order matters: R1. */
async function snapshot(key: ObjectKey, read: Reader): Promise<DisruptionSnapshot | undefined> {
  const budget = await read.get<PodDisruptionBudget>(key);
  if (!budget) return undefined;
  const all = await listAll<Pod>(read, { resource: 'pods', namespace: key.namespace });
  const pods = all.filter((pod) => isOf(pod, budget));
  return { budget, pods, scales: await scalesOf(pods, key.namespace, read) };
}

/** The scales of those who control the pods, each read once. */
async function scalesOf(
  pods: readonly Pod[],
  namespace: string,
  read: Reader,
): Promise<ReadonlyMap<string, Scale>> {
  const owners = new Map<string, OwnerReference>();
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner) owners.set(owner.uid, owner);
  }
  const found = await Promise.all(
    [...owners.values()].map(async (owner) => [owner.uid, await scaleOf(owner, namespace, read)]),
  );
  return new Map(found.filter((entry): entry is [string, Scale] => entry[1] !== undefined));
}

/** A ReplicaSet's scale is that of its Deployment, if it has one. */
async function scaleOf(
  owner: OwnerReference,
  namespace: string,
  read: Reader,
): Promise<Scale | undefined> {
  const object = await scaledOwner(owner, namespace, read);
  if (!object) return undefined;
  const above = controllerOf(object);
  const top = above && (await scaledOwner(above, namespace, read));
  const { metadata } = top ?? object;
  return { uid: metadata.uid, replicas: replicasOf(top ?? object) };
}

/** The object of the reference, if it has a scale; a namesake is another object. */
async function scaledOwner(
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
  read: Reader,
): Promise<KubeObject | undefined> {
  const type = resourceTypeOf({ apiVersion, kind });
  if (!type || !SCALED.has(type.name)) return undefined;
  const found = await read.get({ resource: type.name, namespace, name });
  return found?.metadata.uid === uid ? found : undefined;
}
