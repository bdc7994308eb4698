/**
 * Shapes: pods that ask for the same get the same answers, so that a thousand replicas are judged
 * once. A spec shape is what a pod asks of a node; a pod shape adds what it asks of other pods, and
 * what they may ask of it.
 */
import { CAPACITY_PREFERENCE } from '../../api/capacity-preference.ts';
import type { Pod, PodSpec } from '../../api/kinds/pod.ts';
import { controllerOf, type Labels } from '../../api/meta.ts';
import { withoutCell } from '../../api/node-labels.ts';
import { isStandIn } from '../../api/well-formed.ts';
import { type GpuAsk, gpuAskOf, isGpuIsolated } from '../pod/gpus.ts';
import { podRequests, type Requests } from '../pod/requests.ts';
import type { PodGroup, PodIndex } from './pod-index.ts';
import { requestedNode } from './pending.ts';

/** What a pod asks of one node. Verdicts that see no more than this are shared widest. */
export interface SpecShape {
  readonly key: string;
  readonly requests: Requests;
  /** What devices have to be found for; undefined for nearly all pods. */
  readonly gpus: GpuAsk | undefined;
  readonly hostPorts: readonly HostPort[];
  readonly nodeName: string | undefined;
  readonly nodeSelector: Labels | undefined;
  readonly nodeAffinity: NodeAffinity | undefined;
  readonly tolerations: NonNullable<PodSpec['tolerations']>;
  /** In which order it wants kinds of capacity, as the pod has it. */
  readonly capacityPreference: string | undefined;
}

export interface PodShape {
  readonly key: string;
  readonly spec: SpecShape;
  /** The group that such a pod joins once it is placed. */
  readonly group: PodGroup;
  readonly podAffinity: NonNullable<PodSpec['affinity']>['podAffinity'];
  readonly podAntiAffinity: NonNullable<PodSpec['affinity']>['podAntiAffinity'];
  readonly spread: NonNullable<PodSpec['topologySpreadConstraints']>;
}

type NodeAffinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>;

export interface HostPort {
  readonly port: number;
  readonly protocol: string;
  /** `0.0.0.0` for all addresses. */
  readonly ip: string;
}

/** All addresses of the host. */
export const ANY_IP = '0.0.0.0';

/**
 * The text by which pods of one shape know each other. Stored objects are frozen, so that what is
 * derived from one stays true as long as it lives.
 */
const keys = new WeakMap<Pod, string>();

/** The shapes of one pass. */
export class Shapes {
  readonly #specs = new Map<string, SpecShape>();
  readonly #pods = new Map<string, PodShape>();
  readonly #index: PodIndex;

  constructor(index: PodIndex) {
    this.#index = index;
  }

  /** How many there are. */
  get size(): number {
    return this.#pods.size;
  }

  of(pod: Pod): PodShape {
    const written = keys.get(pod);
    const key = written ?? keyOf(pod);
    let shape = this.#pods.get(key);
    if (!shape) {
      shape = this.#make(pod, key);
      this.#pods.set(key, shape);
    }
    // Pods of one shape share its text: they take room, and comparing equal ones takes time.
    if (written === undefined) keys.set(pod, shape.key);
    return shape;
  }

  #make(pod: Pod, key: string): PodShape {
    return {
      key,
      spec: this.#specOf(pod),
      group: this.#index.group({
        namespace: pod.metadata.namespace ?? '',
        labels: pod.metadata.labels ?? {},
        owner: controllerOf(pod)?.uid ?? '',
        terminating: pod.metadata.deletionTimestamp !== undefined,
      }),
      podAffinity: pod.spec.affinity?.podAffinity,
      podAntiAffinity: pod.spec.affinity?.podAntiAffinity,
      spread: pod.spec.topologySpreadConstraints ?? [],
    };
  }

  #specOf(pod: Pod): SpecShape {
    const key = JSON.stringify(askedOfNode(pod));
    const spec = this.#specs.get(key) ?? specShape(key, pod);
    this.#specs.set(key, spec);
    return spec;
  }
}

/**
 * JSON in the order of writing: the same content in another order is a shape more, and never wrong.
 */
function keyOf(pod: Pod): string {
  const { namespace, labels, deletionTimestamp } = pod.metadata;
  const { affinity, topologySpreadConstraints } = pod.spec;
  return JSON.stringify([
    askedOfNode(pod),
    namespace,
    labels,
    controllerOf(pod)?.uid,
    deletionTimestamp !== undefined,
    affinity?.podAffinity,
    affinity?.podAntiAffinity,
    topologySpreadConstraints,
  ]);
}

/** All that `specShape` reads. */
function askedOfNode(pod: Pod): readonly unknown[] {
  const { containers, initContainers, overhead, nodeSelector, affinity, tolerations } = pod.spec;
  return [
    containers.map(({ resources, ports }) => [resources, ports]),
    initContainers?.map(({ resources, restartPolicy }) => [resources, restartPolicy]),
    overhead,
    requestedNode(pod),
    nodeSelector,
    affinity?.nodeAffinity,
    tolerations,
    ...(isGpuIsolated(pod) ? ['isolated'] : []),
    preferenceOf(pod),
  ];
}

/**
 * Whether the pod is what somebody meant it to be, and shapes can be made of it; of each version of
 * a pod that is tried once.
 */
export function isReadable(pod: Pod): boolean {
  if (isStandIn(pod)) return false;
  let readable = readability.get(pod);
  if (readable === undefined) {
    try {
      specShape('', pod);
      readable = pod.spec.containers.length > 0; // or it would hold nothing where its task runs
    } catch {
      readable = false;
    }
    readability.set(pod, readable);
  }
  return readable;
}

const readability = new WeakMap<Pod, boolean>();

function specShape(key: string, pod: Pod): SpecShape {
  return {
    key,
    requests: podRequests(pod.spec),
    gpus: gpuAskOf(pod),
    hostPorts: hostPorts(pod.spec),
    nodeName: requestedNode(pod),
    nodeSelector: withoutCell(pod.spec.nodeSelector),
    nodeAffinity: pod.spec.affinity?.nodeAffinity,
    tolerations: pod.spec.tolerations ?? [],
    capacityPreference: preferenceOf(pod),
  };
}

function preferenceOf({ metadata }: Pod): string | undefined {
  return metadata.annotations?.[CAPACITY_PREFERENCE];
}

function hostPorts(spec: PodSpec): HostPort[] {
  return spec.containers.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, protocol, hostIP }) =>
      hostPort === undefined ? [] : [{ port: hostPort, protocol, ip: hostIP ?? ANY_IP }],
    ),
  );
}
