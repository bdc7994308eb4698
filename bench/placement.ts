/**
 * How fast the scheduler decides, without a store: pods a second over nodes of one shape, all nodes
 * scored for each pod. `node bench/placement.ts [nodes] [pods]` prints a line for each kind of pod.
 */
import type { Node } from '../shared/api/kinds/node.ts';
import type { Pod, PodSpec } from '../shared/api/kinds/pod.ts';
import { schedule } from '../shared/core/scheduling/schedule.ts';

const [nodeCount = 5_000, podCount = 10_000] = process.argv.slice(2).map(Number);
const ZONES = 3;

const labels = { app: 'bench' };
const selector = { matchLabels: labels };
const zone = 'topology.kubernetes.io/zone';
const host = 'kubernetes.io/hostname';
const near = { labelSelector: selector, topologyKey: zone };
const far = { labelSelector: selector, topologyKey: host };

const kinds: { readonly [name: string]: { spec: Partial<PodSpec>; owned?: true } } = {
  basic: { spec: {} },
  replicas: { spec: {}, owned: true },
  'zone spread': {
    spec: {
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: zone,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: selector,
          nodeAffinityPolicy: 'Honor',
          nodeTaintsPolicy: 'Ignore',
        },
      ],
    },
  },
  'zone affinity': {
    spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [near] } } },
  },
  'host anti-affinity': {
    spec: {
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [far] } },
    },
  },
  'preferred affinity': {
    spec: {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: near }],
        },
      },
    },
  },
};

const nodes = Array.from({ length: nodeCount }, (_, i) => node(i));
for (const [name, { spec, owned }] of Object.entries(kinds)) {
  const pods = Array.from({ length: podCount }, (_, i) => pod(i, spec, owned));
  const startMs = performance.now();
  const { placements } = schedule({ nodes, ledgers: [], pods, namespaces: [] }, 0);
  const seconds = (performance.now() - startMs) / 1000;
  const rate = Math.round(podCount / seconds);
  console.log(
    `${name}: ${rate} pods/s (${placements.length} of ${podCount} on ${nodeCount} nodes)`,
  );
}

function node(i: number): Node {
  const name = `node-${String(i).padStart(5, '0')}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...meta(name),
      labels: { [host]: name, [zone]: `zone-${i % ZONES}` },
    },
    spec: {},
    status: { allocatable: { cpu: '4', memory: '32Gi', pods: '110' } },
  };
}

function pod(i: number, spec: Partial<PodSpec>, owned: true | undefined): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'bench', uid: 'owner' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(`pod-${i}`),
      namespace: 'default',
      labels,
      ...(owned ? { ownerReferences: [{ ...owner, controller: true }] } : {}),
    },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'app',
          resources: { requests: { cpu: '100m', memory: '500Mi' } },
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      ...spec,
    },
    status: { phase: 'Pending' },
  };
}

function meta(name: string) {
  const creationTimestamp = '2024-01-01T00:00:00Z';
  return { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp };
}
