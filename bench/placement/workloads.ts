/**
 * The workloads of Kubernetes' own scheduler benchmark, as data: how many nodes and pods of which
 * kind, and the least that passes its CI. Owns definitions; how they run is runs.ts.
 *
 * Source: kubernetes/kubernetes, test/integration/scheduler_perf: performance-config.yaml of misc,
 * affinity and topology_spreading, and their templates; `threshold` is what the job
 * ci-benchmark-scheduler-perf holds an average of scheduled pods a second to.
 */
import type { Node } from '../../shared/api/kinds/node.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';
import { HOST, node, pod, ZONE } from '../objects.ts';

export interface Workload {
  readonly name: string;
  /** Pods a second. */
  readonly threshold: number;
  readonly nodes: number;
  /** Pods that have their place before it is measured. */
  readonly initPods: number;
  readonly pods: number;
  readonly node: (i: number) => Node;
  readonly initPod?: (i: number) => Pod;
  readonly pod: (i: number) => Pod;
  readonly churn?: Churn;
  /** Each of the measured pods takes a node for itself. */
  readonly onePerNode?: true;
}

/** What comes while the measured pods are placed. */
export interface Churn {
  /** So many a second at the threshold: as many in all come here, in less time. */
  readonly perSecond: number;
  readonly pod: (i: number) => Pod;
  /** Each is made and deleted again, in turn with a node that has no room. */
  readonly recreated?: true;
}

const NAMESPACES = ['sched-1', 'sched-0'];
/** The pod's namespace: init pods are in the one, measured pods in the other. */
const FIRST = { namespace: 'sched-0' };
const SECOND = { namespace: 'sched-1' };

const oneZone = (i: number) => node(i, { zones: ['zone1'] });
const threeZones = (i: number) => node(i, { zones: ['moon-1', 'moon-2', 'moon-3'] });
const noZone = (i: number) => node(i, { zones: [] });

const plain = (prefix: string) => (i: number) => pod(`${prefix}-${i}`, {});

const term = (color: string, topologyKey: string) => ({
  labelSelector: { matchLabels: { color } },
  topologyKey,
  namespaces: NAMESPACES,
});

const near = (i: number, where: { readonly namespace: string }) =>
  pod(`near-${where.namespace}-${i}`, {
    ...where,
    labels: { color: 'blue' },
    spec: {
      affinity: {
        podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('blue', ZONE)] },
      },
    },
  });

const apart = (i: number, where: { readonly namespace: string }) =>
  pod(`apart-${where.namespace}-${i}`, {
    ...where,
    labels: { color: 'green' },
    spec: {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('green', HOST)] },
      },
    },
  });

const rather = (i: number, where: { readonly namespace: string }) =>
  pod(`rather-${where.namespace}-${i}`, {
    ...where,
    labels: { color: 'red' },
    spec: {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term('red', HOST) },
          ],
        },
      },
    },
  });

const selecting = (prefix: string) => (i: number) =>
  pod(`${prefix}-${i}`, {
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: ZONE, operator: 'In', values: ['zone1', 'zone2'] }] },
            ],
          },
        },
      },
    },
  });

const spread = (whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway') => (i: number) =>
  pod(`spread-${i}`, {
    labels: { color: 'blue' },
    spec: {
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: ZONE,
          whenUnsatisfiable,
          labelSelector: { matchLabels: { color: 'blue' } },
          nodeAffinityPolicy: 'Honor',
          nodeTaintsPolicy: 'Ignore',
        },
      ],
    },
  });

const low = (i: number) => pod(`low-${i}`, { requests: { cpu: '900m', memory: '500Mi' } });
const high = (i: number) =>
  pod(`high-${i}`, { requests: { cpu: '3', memory: '500Mi' }, spec: { priority: 10 } });
const tooLarge = (i: number) =>
  pod(`large-${i}`, { requests: { cpu: '9', memory: '500Mi' }, spec: { priority: 10 } });

/** Each node has a resource of its own, and each pod asks for one of them. */
const bar = (i: number) => ({ [`foo.com/bar-${i}`]: '1' });

const AT_5000 = { nodes: 5_000, node: noZone, initPod: plain('init'), pod: plain('pod') };

/** So many times the least that Kubernetes' CI lets pass is what is aimed at. */
export const TIMES_THRESHOLD = 10;

export const WORKLOADS: readonly Workload[] = [
  { ...AT_5000, name: 'Basic-10k', threshold: 680, initPods: 1_000, pods: 10_000 },
  { ...AT_5000, name: 'Basic-50k', threshold: 810, initPods: 5_000, pods: 50_000 },
  {
    ...{ ...AT_5000, name: 'TopologySpreading', threshold: 460, initPods: 5_000, pods: 5_000 },
    node: threeZones,
    pod: spread('DoNotSchedule'),
  },
  {
    ...{ ...AT_5000, name: 'PreferredTopologySpreading', threshold: 340 },
    ...{ initPods: 5_000, pods: 5_000, node: threeZones },
    pod: spread('ScheduleAnyway'),
  },
  {
    // Upstream, the pods share a Service; here, they share an owner, which says the same.
    ...{ ...AT_5000, name: 'DefaultTopologySpreading', threshold: 160 },
    ...{ initPods: 5_000, pods: 50_000, node: threeZones },
    pod: (i) => pod(`replica-${i}`, { labels: { app: 'replicas' }, owner: 'replicas' }),
  },
  {
    ...{ ...AT_5000, name: 'NodeAffinity', threshold: 220, initPods: 5_000, pods: 10_000 },
    ...{ node: oneZone, initPod: selecting('init'), pod: selecting('pod') },
  },
  {
    ...{ ...AT_5000, name: 'PodAffinity', threshold: 35, initPods: 5_000, pods: 5_000 },
    node: oneZone,
    initPod: (i) => near(i, FIRST),
    pod: (i) => near(i, SECOND),
  },
  {
    ...{ ...AT_5000, name: 'PodAntiAffinity', threshold: 60, initPods: 1_000, pods: 2_000 },
    onePerNode: true,
    initPod: (i) => apart(i, FIRST),
    pod: (i) => apart(i, SECOND),
  },
  {
    ...{ ...AT_5000, name: 'PreferredPodAffinity', threshold: 90, initPods: 5_000, pods: 5_000 },
    initPod: (i) => rather(i, FIRST),
    pod: (i) => rather(i, SECOND),
  },
  {
    ...{ ...AT_5000, name: 'PreemptionAsync', threshold: 570, initPods: 20_000, pods: 5_000 },
    initPod: low,
    churn: { perSecond: 5, pod: high },
  },
  {
    ...{ ...AT_5000, name: 'ExtendedResource', threshold: 180, initPods: 0, pods: 5_000 },
    onePerNode: true,
    node: (i) => node(i, { zones: [], extra: bar(i) }),
    pod: (i) => pod(`bar-${i}`, { requests: bar(i) }),
  },
  {
    ...{ ...AT_5000, name: 'Unschedulable-100', threshold: 590, initPods: 100, pods: 10_000 },
    churn: { perSecond: 5, pod: tooLarge },
  },
  {
    ...{ ...AT_5000, name: 'Unschedulable-20k', threshold: 600, initPods: 20_000, pods: 10_000 },
    churn: { perSecond: 5, pod: tooLarge },
  },
  {
    ...{ ...AT_5000, name: 'MixedChurn', threshold: 710, initPods: 0, pods: 10_000 },
    churn: { perSecond: 1, pod: tooLarge, recreated: true },
  },
];

/** The same on another number of nodes, or with other pods to place. */
export function sized(
  workload: Workload,
  { nodes = workload.nodes, pods = workload.pods }: { nodes?: number; pods?: number },
): Workload {
  const initPods = Math.ceil((workload.initPods * nodes) / workload.nodes);
  return { ...workload, nodes, pods, initPods };
}

/** How many of the measured pods have a place in the end. */
export function placeable({ nodes, pods, initPods, onePerNode }: Workload): number {
  return onePerNode ? Math.min(pods, nodes - initPods) : pods;
}

/** As upstream's interval has it when pods are placed ten times as fast as its threshold. */
export function passCount(workload: Workload): number {
  return Math.max(1, Math.ceil(churnCount(workload) / TIMES_THRESHOLD));
}

/** How many pods or nodes come beside the measured ones: as many as upstream has at its floor. */
export function churnCount({ churn, pods, threshold }: Workload): number {
  return churn ? Math.ceil((pods / threshold) * churn.perSecond) : 0;
}
