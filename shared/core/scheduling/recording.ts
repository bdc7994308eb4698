/**
 * A pass as data: what it was decided from and what came out, so that it can be decided again
 * elsewhere, later, by the same function, and looked into.
 *
 * Owns: what of a snapshot is recorded, and what counts as the answer. What placement does not read
 * is left out: commands, environment, probes, field managers. Values that people gave containers
 * are in no recording.
 *
 * Invariant V1: of a recording comes the answer that is recorded with it.
 */
import { canonicalJson } from '../../api/hash.ts';
import type { Container } from '../../api/kinds/container.ts';
import type { Decision } from '../../api/kinds/decision.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { MachineType } from '../capacity/machine-type.ts';
import type { Inspection } from './choices.ts';
import { inputDigest } from './input-digest.ts';
import { schedule, type SchedulingResult } from './schedule.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** Of the form: a reader that does not know it refuses. */
export const RECORDING_FORMAT = 1;

export interface RecordedPass {
  readonly format: typeof RECORDING_FORMAT;
  readonly nowMs: number;
  readonly snapshot: ClusterSnapshot;
  readonly answer: Answer;
}

/** What a pass came to, without what follows from it (ledgers, batches of launches, events). */
export interface Answer {
  /** The digest of the snapshot, as decisions have it. */
  readonly input: string;
  /** By pod, `namespace/name`. */
  readonly decisions: { readonly [pod: string]: Decision };
  readonly placed: { readonly [pod: string]: string };
  readonly left: { readonly [pod: string]: string };
  /** By pod: its node, and who has to go. */
  readonly preempting: {
    readonly [pod: string]: { readonly node: string; readonly victims: readonly string[] };
  };
  readonly machines: readonly AnswerMachine[];
}

export interface AnswerMachine {
  readonly pool: string;
  readonly type: string;
  readonly zone: string;
  readonly capacityType: string;
  readonly pods: readonly string[];
}

export function recordedPass(
  snapshot: ClusterSnapshot,
  nowMs: number,
  result: SchedulingResult,
): RecordedPass {
  const answer = answerOf(snapshot, result);
  return { format: RECORDING_FORMAT, nowMs, snapshot: slim(snapshot), answer };
}

export interface Replayed {
  readonly answer: Answer;
  /** Whether it is the one that was recorded. */
  readonly isSame: boolean;
  readonly inspection: Inspection | undefined;
}

/** Decides again. `types` are those that could be launched then; `inspect` names a pod. */
export function replayed(
  { snapshot, nowMs, answer: then }: RecordedPass,
  types: readonly MachineType[],
  inspect?: string,
): Replayed {
  const options = inspect === undefined ? {} : { inspect: (pod: Pod) => podKey(pod) === inspect };
  const result = schedule(snapshot, nowMs, { types, ...options });
  const answer = answerOf(snapshot, result);
  const isSame = canonicalJson(answer) === canonicalJson(then);
  return { answer, isSame, inspection: result.inspection };
}

export function answerOf(snapshot: ClusterSnapshot, result: SchedulingResult): Answer {
  const { placements, unschedulable, preemptions, machines } = result;
  return {
    input: inputDigest(snapshot),
    decisions: decisionsOf(result),
    placed: Object.fromEntries(placements.map(({ pod, node }) => [podKey(pod), node])),
    left: Object.fromEntries(unschedulable.map(({ pod, message }) => [podKey(pod), message])),
    preempting: Object.fromEntries(
      preemptions.map(({ pod, node, victims }) => [
        podKey(pod),
        { node, victims: victims.map(podKey).sort() },
      ]),
    ),
    machines: machines.map(({ pool, machine: { kind, cheapest }, pods }) => ({
      pool: pool.metadata.name,
      type: kind.types.types[cheapest]?.name ?? '',
      zone: kind.zone,
      capacityType: kind.capacityType,
      pods: pods.map(podKey).sort(),
    })),
  };
}

export function podKey({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Those that the pass writes. */
function decisionsOf({ plans }: SchedulingResult): Answer['decisions'] {
  const writes = plans.flatMap(({ stages }) => stages.flat());
  return Object.fromEntries(
    writes.flatMap((action) => {
      if (action.kind !== 'update' || action.resource !== 'pods') return [];
      const pod = action.object as KubeObject as Pod;
      const { decision } = pod.control ?? {};
      return decision ? [[podKey(pod), decision] as const] : [];
    }),
  );
}

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function slim(snapshot: ClusterSnapshot): ClusterSnapshot {
  const { nodes, ledgers, pods, namespaces, pools, claims, groups, budgets } = snapshot;
  return {
    nodes: nodes.map(unmanaged),
    ledgers: ledgers.map(unmanaged),
    pods: pods.map(slimPod),
    namespaces: namespaces.map(unmanaged),
    ...(pools ? { pools: pools.map(unmanaged) } : {}),
    ...(claims ? { claims: claims.map(unmanaged) } : {}),
    ...(groups ? { groups: groups.map(unmanaged) } : {}),
    ...(budgets ? { budgets: budgets.map(unmanaged) } : {}),
  };
}

function unmanaged<T extends KubeObject>(object: T): T {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  const { [APPLIED]: _applied, ...kept } = annotations ?? {};
  return { ...object, metadata: { ...metadata, ...(annotations ? { annotations: kept } : {}) } };
}

function slimPod(pod: Pod): Pod {
  const { volumes: _volumes, ...spec } = pod.spec;
  const { containers, initContainers } = spec;
  return unmanaged({
    ...pod,
    spec: {
      ...spec,
      containers: containers.map(slimContainer),
      ...(initContainers ? { initContainers: initContainers.map(slimContainer) } : {}),
    },
  });
}

function slimContainer(container: Container): Container {
  const { name, resources, ports, restartPolicy } = container;
  const { terminationMessagePath, terminationMessagePolicy } = container;
  return {
    ...{ name, resources, terminationMessagePath, terminationMessagePolicy },
    ...(ports ? { ports } : {}),
    ...(restartPolicy ? { restartPolicy } : {}),
  };
}
