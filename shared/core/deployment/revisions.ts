/**
 * Revisions: which ReplicaSet stands for which template, under which name and number. Owns names,
 * the template hash and the annotations that `kubectl rollout history` and `undo` read; does not
 * own sizes (rolling.ts, scaling.ts).
 *
 * Invariants:
 *  V1 A template has at most one ReplicaSet: an old one whose template comes back is used again,
 *     under a new number.
 *  V2 The number of a ReplicaSet only grows (S7).
 */
import { canonicalJson, nameHash, sameJson } from '../../api/hash.ts';
import type { PodTemplate } from '../../api/kinds/pod.ts';
import type { Deployment, ReplicaSet } from '../../api/kinds/workloads.ts';
import { controllerReference, draftMeta, type Labels } from '../../api/meta.ts';
import { matchesSelector } from '../../api/selectors.ts';

const HASH_LABEL = 'pod-template-hash';
const HASH_LENGTH = 10;

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/**
 * Numbers kept in the history annotation: enough for every undo that the history limit usually
 * allows.
 */
const MAX_HISTORY = 20;

/** Annotations of a Deployment that speak of itself, and not of what it rolls out. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
]);

/** A Deployment's ReplicaSets: the one of its present template, and the others, oldest first. */
export interface Fleet {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

export function fleetOf({ spec }: Deployment, sets: readonly ReplicaSet[]): Fleet {
  const byAge = [...sets].sort(olderFirst);
  const current = byAge.find((set) => set.spec.template && isOf(set.spec.template, spec.template));
  return { current, old: byAge.filter((set) => set !== current) };
}

/** The name that the ReplicaSet of the present template gets when it is made. */
export function newSetName(deployment: Deployment): string {
  return `${deployment.metadata.name}-${templateHash(deployment)}`;
}

/** The ReplicaSet of the present template, with no pods yet. */
export function newSet(deployment: Deployment): ReplicaSet {
  const { metadata, spec } = deployment;
  const hash = { [HASH_LABEL]: templateHash(deployment) };
  const labels = { ...spec.template.metadata.labels, ...hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: draftMeta({
      name: newSetName(deployment),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels,
      annotations: copiedAnnotations(deployment),
      ownerReferences: [controllerReference(deployment)],
    }),
    spec: {
      replicas: 0,
      minReadySeconds: spec.minReadySeconds,
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, ...hash },
      },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
    status: { replicas: 0 },
  };
}

/**
 * Whether a ReplicaSet that is made of the Deployment would be known as its own. It is not where
 * what is stored was spoilt past the API, and then each look would make another one.
 */
export function wouldBeKnown(deployment: Deployment): boolean {
  const { metadata, spec } = newSet(deployment);
  const { selector, template } = deployment.spec;
  const isOfTemplate = spec.template !== undefined && isOf(spec.template, template);
  return isOfTemplate && matchesSelector(selector, metadata.labels);
}

/**
 * The current ReplicaSet with the next revision number and with what it takes over from its
 * Deployment.
 */
export function revised(deployment: Deployment, set: ReplicaSet, old: readonly ReplicaSet[]) {
  const own = revisionOf(set);
  const next = Math.max(0, ...old.map(revisionOf)) + 1;
  const annotations: Record<string, string> = {
    ...set.metadata.annotations,
    ...copiedAnnotations(deployment),
    ...(own < next ? { [REVISION]: String(next), ...history(set, own) } : {}),
  };
  const { minReadySeconds } = deployment.spec;
  return respecified(withAnnotations(set, annotations), { minReadySeconds });
}

/**
 * The ReplicaSet with this size, and with what sizes it was decided from (scaling.ts reads that).
 */
export function resized(
  set: ReplicaSet,
  replicas: number,
  { desired, max }: { readonly desired: number; readonly max: number },
): ReplicaSet {
  const annotations = {
    ...set.metadata.annotations,
    [DESIRED_REPLICAS]: String(desired),
    [MAX_REPLICAS]: String(max),
  };
  return respecified(withAnnotations(set, annotations), { replicas });
}

export function revisionOf({ metadata }: ReplicaSet): number {
  return numberIn(metadata.annotations, REVISION) ?? 0;
}

/** The integer in an annotation; undefined when there is none. */
export function numberIn(annotations: Labels | undefined, key: string): number | undefined {
  const text = annotations?.[key];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Whether the ReplicaSet's template is this one, but for the hash that it was given. */
function isOf(ofSet: PodTemplate, template: PodTemplate): boolean {
  return sameJson(withoutHash(ofSet), withoutHash(template));
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [HASH_LABEL]: _, ...labels } = template.metadata.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** A collision count that grows gives another name to the same template. */
function templateHash({ spec, status }: Deployment): string {
  return nameHash(`${canonicalJson(spec.template)}/${status.collisionCount ?? 0}`, HASH_LENGTH);
}

function copiedAnnotations({ metadata }: Deployment): Labels {
  const entries = Object.entries(metadata.annotations ?? {});
  return Object.fromEntries(entries.filter(([key]) => !OWN_ANNOTATIONS.has(key)));
}

function history({ metadata }: ReplicaSet, own: number): Labels {
  if (own === 0) return {};
  const before = metadata.annotations?.[REVISION_HISTORY]?.split(',') ?? [];
  return { [REVISION_HISTORY]: [...before, String(own)].slice(-MAX_HISTORY).join(',') };
}

function withAnnotations(set: ReplicaSet, annotations: Labels): ReplicaSet {
  if (sameJson(annotations, set.metadata.annotations ?? {})) return set;
  return { ...set, metadata: { ...set.metadata, annotations } };
}

/** A change of the spec is a new generation; controllers write it as the server would. */
function respecified(set: ReplicaSet, spec: Partial<ReplicaSet['spec']>): ReplicaSet {
  const next = { ...set.spec, ...spec };
  if (sameJson(next, set.spec)) return set;
  const isDraft = set.metadata.uid === '';
  const generation = (set.metadata.generation ?? 0) + (isDraft ? 0 : 1);
  return { ...set, metadata: { ...set.metadata, generation }, spec: next };
}

function olderFirst(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a, b].map(
    ({ metadata }) => `${metadata.creationTimestamp}/${metadata.name}`,
  );
  return (left ?? '') < (right ?? '') ? -1 : 1;
}
