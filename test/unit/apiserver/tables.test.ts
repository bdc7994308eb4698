/** What kubectl users see: the cells of each kind, in their words. */
import { describe, expect, it } from 'vitest';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { type Cell, duration } from '../../../shared/control/apiserver/printers/columns.ts';
import { RESOURCES } from '../../../shared/api/resources.ts';
import { printerOf } from '../../../shared/control/apiserver/printers/registry.ts';

const NOW = Date.parse('2030-01-01T00:00:00Z');
const ago = (seconds: number) => rfc3339(NOW - seconds * 1000);

function shown(resource: string, object: object, wide = false): readonly Cell[] {
  const given = { metadata: { name: 'x', creationTimestamp: ago(65) }, ...object };
  return printerOf(resource)
    .filter((column) => wide || !column.wide)
    .map((column) => column.cell(given as unknown as AnyObject, NOW));
}

const header = (resource: string) => printerOf(resource).map(({ name }) => name.toUpperCase());

describe('durations', () => {
  const cases: [number, string][] = [
    [-5, '<invalid>'],
    [-1, '0s'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [150, '2m30s'],
    [599, '9m59s'],
    [600, '10m'],
    [3 * 3600 - 1, '179m'],
    [3 * 3600, '3h'],
    [3 * 3600 + 1500, '3h25m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [50 * 3600, '2d2h'],
    [9 * 86400, '9d'],
    [729 * 86400, '729d'],
    [731 * 86400, '2y1d'],
    [9 * 365 * 86400, '9y'],
  ];
  it.each(cases)('%i s is %s', (seconds, text) => expect(duration(seconds * 1000)).toBe(text));
});

interface Shape {
  readonly spec?: object;
  readonly status?: object;
  readonly metadata?: object;
}

function podOf({ spec = {}, status = {}, metadata = {} }: Shape) {
  return {
    metadata: { name: 'p', creationTimestamp: ago(65), ...metadata },
    spec: { containers: [{ name: 'app' }], ...spec },
    status: { phase: 'Pending', ...status },
  };
}

const container = (state: object, more: object = {}) => ({
  name: 'app',
  ready: false,
  restartCount: 0,
  state,
  ...more,
});
const waiting = (reason: string) => ({ waiting: { reason } });
const ended = (exitCode: number, reason?: string, more: object = {}) => ({
  terminated: { exitCode, ...(reason && { reason }), ...more },
});
const INITIALIZED = { type: 'Initialized', status: 'True' };
const running = { running: { startedAt: ago(60) } };

describe('pods', () => {
  it('have the columns of kubectl', () => {
    const columns = 'NAME,READY,STATUS,RESTARTS,AGE,IP,NODE,NOMINATED NODE,READINESS GATES';
    expect(header('pods')).toEqual(columns.split(','));
  });

  const statuses: [string, Shape][] = [
    ['Pending', {}],
    ['SchedulingGated', conditions({ type: 'PodScheduled', reason: 'SchedulingGated' })],
    ['ContainerCreating', containers(container(waiting('ContainerCreating')))],
    ['ImagePullBackOff', containers(container(waiting('ImagePullBackOff')))],
    ['CrashLoopBackOff', containers(container(waiting('CrashLoopBackOff')))],
    ['Running', containers(container(running, { ready: true }), 'Running')],
    ['Error', containers(container(ended(1, 'Error')), 'Failed')],
    ['OOMKilled', containers(container(ended(137, 'OOMKilled')), 'Failed')],
    ['ExitCode:3', containers(container(ended(3)), 'Failed')],
    ['Signal:9', containers(container(ended(137, undefined, { signal: 9 })), 'Failed')],
    ['Completed', containers(container(ended(0, 'Completed')), 'Succeeded')],
    ['Evicted', { status: { phase: 'Failed', reason: 'Evicted' } }],
    ['Terminating', { ...containers(container(running), 'Running'), metadata: going() }],
    [
      'Completed',
      { ...containers(container(ended(0, 'Completed')), 'Succeeded'), metadata: going() },
    ],
    ['Unknown', { status: { phase: 'Running', reason: 'NodeLost' }, metadata: going() }],
    ['Init:0/2', inits(container(running), container(waiting('PodInitializing')))],
    ['Init:1/2', inits(container(ended(0)), container(running))],
    ['Init:Error', inits(container(ended(1, 'Error')), container({}))],
    ['Init:ExitCode:4', inits(container(ended(4)), container({}))],
    ['Init:CrashLoopBackOff', inits(container(waiting('CrashLoopBackOff')), container({}))],
    [
      'NotReady',
      {
        ...containers(container(ended(0, 'Completed')), 'Running'),
        status: {
          phase: 'Running',
          conditions: [INITIALIZED],
          containerStatuses: [
            container(ended(0, 'Completed')),
            { ...container(running), name: 'b', ready: true },
          ],
        },
      },
    ],
  ];
  it.each(statuses)('are %s', (word, shape) => {
    expect(shown('pods', podOf(shape))[2]).toBe(word);
  });

  it('count what is ready and what was started again', () => {
    const last = ended(1, 'Error', { finishedAt: ago(300) });
    const status = {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [INITIALIZED],
      containerStatuses: [container(running, { ready: true, restartCount: 3, lastState: last })],
    };
    const spec = { containers: [{ name: 'app' }, { name: 'b' }], nodeName: 'n1' };
    expect(shown('pods', podOf({ spec, status }), true)).toEqual([
      'p',
      '1/2',
      'Running',
      '3 (5m ago)',
      '65s',
      '10.0.0.1',
      'n1',
      '<none>',
      '<none>',
    ]);
  });
});

function conditions(condition: object): Shape {
  return { status: { phase: 'Pending', conditions: [{ status: 'False', ...condition }] } };
}
function containers(status: object, phase = 'Pending'): Shape {
  return { status: { phase, conditions: [INITIALIZED], containerStatuses: [status] } };
}
function inits(...statuses: object[]): Shape {
  const initContainerStatuses = statuses.map((s, i) => ({ ...s, name: `i${i}` }));
  const initContainers = initContainerStatuses.map(({ name }) => ({ name }));
  return { spec: { initContainers }, status: { phase: 'Pending', initContainerStatuses } };
}
function going() {
  return { deletionTimestamp: ago(1) };
}

const template = {
  spec: {
    containers: [
      { name: 'a', image: 'i:1' },
      { name: 'b', image: 'j:2' },
    ],
  },
};
const selector = { matchLabels: { app: 'web' } };

describe('the other kinds', () => {
  const cases: [string, object, readonly unknown[]][] = [
    [
      'deployments.apps',
      {
        spec: { replicas: 3, selector, template },
        status: { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 },
      },
      ['x', '1/3', 2, 1, '65s', 'a,b', 'i:1,j:2', 'app=web'],
    ],
    [
      'replicasets.apps',
      { spec: { replicas: 3, selector, template }, status: { replicas: 2 } },
      ['x', 3, 2, 0, '65s', 'a,b', 'i:1,j:2', 'app=web'],
    ],
    [
      'services',
      {
        spec: {
          type: 'NodePort',
          clusterIP: '10.96.0.9',
          selector: { app: 'web' },
          ports: [
            { port: 80, nodePort: 30080, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ],
        },
        status: {},
      },
      ['x', 'NodePort', '10.96.0.9', '<none>', '80:30080/TCP,53/UDP', '65s', 'app=web'],
    ],
    [
      'nodes',
      {
        metadata: {
          name: 'n',
          creationTimestamp: ago(5),
          labels: { 'node-role.kubernetes.io/worker': '' },
        },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [{ type: 'InternalIP', address: '10.1.2.3' }],
          nodeInfo: { kubeletVersion: 'v1' },
        },
      },
      [
        'n',
        'Ready,SchedulingDisabled',
        'worker',
        '5s',
        'v1',
        '10.1.2.3',
        '<none>',
        '<unknown>',
        '<unknown>',
        '<unknown>',
      ],
    ],
    ['namespaces', { status: { phase: 'Active' } }, ['x', 'Active', '65s']],
    ['configmaps', { data: { a: '' }, binaryData: { b: '' } }, ['x', 2, '65s']],
    ['secrets', { type: 'Opaque', data: { a: '' } }, ['x', 'Opaque', 1, '65s']],
    ['serviceaccounts', {}, ['x', 0, '65s']],
    [
      'endpointslices.discovery.k8s.io',
      {
        addressType: 'IPv4',
        ports: [{ port: 80 }],
        endpoints: ['1', '2', '3', '4'].map((ip) => ({ addresses: [ip] })),
      },
      ['x', 'IPv4', '80', '1,2,3 + 1 more...', '65s'],
    ],
    [
      'events',
      {
        type: 'Warning',
        reason: 'Failed',
        message: 'two\nlines',
        involvedObject: { kind: 'Pod', name: 'p' },
        lastTimestamp: ago(3),
        firstTimestamp: ago(60),
        count: 4,
        source: { component: 'scheduler' },
      },
      ['3s', 'Warning', 'Failed', 'pod/p', '', 'scheduler', 'two lines', '60s', 4, 'x'],
    ],
    [
      'nodeallocations.nullplane.io',
      { allocations: [{ requests: { cpu: 500, memory: 2 ** 20 } }] },
      ['x', 1, '500m', '1Mi', 0, '65s'],
    ],
    [
      'priorityclasses.scheduling.k8s.io',
      { value: 1000, preemptionPolicy: 'Never' },
      ['x', 1000, false, '65s', 'Never'],
    ],
    [
      'poddisruptionbudgets.policy',
      { spec: { maxUnavailable: '25%' }, status: { disruptionsAllowed: 2 } },
      ['x', 'N/A', '25%', 2, '65s'],
    ],
    [
      'podgroups.scheduling.x-k8s.io',
      { spec: { minMember: 4 }, status: { phase: 'Running', running: 3, succeeded: 1 } },
      ['x', 'Running', 4, 3, 1, 0, '65s'],
    ],
    [
      'nodepools.karpenter.sh',
      {
        spec: { template: { spec: { nodeClassRef: { name: 'default' } } }, weight: 5 },
        status: {
          nodes: 2,
          resources: { cpu: '8', memory: '32Gi' },
          conditions: [{ type: 'Ready', status: 'True' }],
        },
      },
      ['x', 'default', '2', 'True', '65s', 5, '8', '32Gi'],
    ],
    [
      'nodeclaims.karpenter.sh',
      {
        metadata: {
          name: 'gpu-abcde',
          creationTimestamp: ago(65),
          labels: {
            'karpenter.sh/capacity-type': 'spot',
            'karpenter.sh/nodepool': 'gpu',
            'node.kubernetes.io/instance-type': 'g5.xlarge',
            'topology.kubernetes.io/zone': 'eu-west-1b',
          },
        },
        spec: { requirements: [] },
        status: {
          nodeName: 'i-1',
          providerID: 'aws:///eu-west-1b/i-1',
          conditions: [{ type: 'Ready', status: 'Unknown' }],
        },
      },
      [
        ...['gpu-abcde', 'g5.xlarge', 'spot', 'eu-west-1b', 'i-1', 'Unknown', '65s'],
        ...['', 'aws:///eu-west-1b/i-1', 'gpu', '', ''],
      ],
    ],
  ];
  it.each(cases)('%s', (resource, object, cells) => {
    expect(shown(resource, object, true)).toEqual(cells);
  });

  it('show pending and external addresses of services', () => {
    const of = (spec: object, status: object = {}) => shown('services', { spec, status })[3];
    expect(of({ type: 'LoadBalancer' })).toBe('<pending>');
    const ingress = [{ hostname: 'lb.example' }];
    expect(of({ type: 'LoadBalancer' }, { loadBalancer: { ingress } })).toBe('lb.example');
    expect(of({ type: 'ExternalName', externalName: 'db.example' })).toBe('db.example');
  });

  it.each([
    ['priorityclasses.scheduling.k8s.io', 'NAME,VALUE,GLOBAL-DEFAULT,AGE,PREEMPTIONPOLICY'],
    ['poddisruptionbudgets.policy', 'NAME,MIN AVAILABLE,MAX UNAVAILABLE,ALLOWED DISRUPTIONS,AGE'],
    ['podgroups.scheduling.x-k8s.io', 'NAME,PHASE,MINMEMBER,RUNNING,SUCCEEDED,FAILED,AGE'],
    ['nodepools.karpenter.sh', 'NAME,NODECLASS,NODES,READY,AGE,WEIGHT,CPU,MEMORY'],
    [
      'nodeclaims.karpenter.sh',
      'NAME,TYPE,CAPACITY,ZONE,NODE,READY,AGE,IMAGEID,ID,NODEPOOL,NODECLASS,DRIFTED',
    ],
  ])('%s have the columns that are known', (resource, columns) => {
    expect(header(resource)).toEqual(columns.split(','));
  });

  it('all have a name and an age', () => {
    for (const { name } of RESOURCES) expect(header(name)).toContain('NAME');
  });
});
