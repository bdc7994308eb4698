/** Each check finds what it is for, and finds nothing in a cluster that is well. */
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { TaskPhase, TaskState } from '../../../shared/api/task.ts';
import {
  checkEviction,
  checkGrants,
  checkLedger,
  checkMatches,
  checkNodeRoom,
  checkNoLeaks,
  checkOneTaskPerPod,
  checkOwners,
  type ClusterFacts,
  type TaskFact,
} from '../../../shared/core/invariants.ts';

import { budget } from '../disruption/fixtures.ts';

const REQUESTS = { cpu: 600 };

function pod(uid: string, change: Record<string, unknown> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { uid, name: uid, namespace: 'a', resourceVersion: '1', creationTimestamp: '' },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'main', resources: { requests: { cpu: '600m' } } }],
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    control: { attempt: 1 },
    ...change,
  } as unknown as Pod;
}

function task(podUid: string, attempt = 1, phase: TaskPhase = 'running'): TaskFact {
  const state = { id: `${podUid}-${attempt}`, podUid, podName: podUid, nodeName: 'n1', phase };
  return { state: state as TaskState, requests: REQUESTS };
}

const NODE = {
  metadata: { name: 'n1' },
  status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } },
} as unknown as ClusterFacts['nodes'][number];

const NOBODY: ClusterFacts = {
  deployments: [],
  replicaSets: [],
  pods: [],
  nodes: [],
  allocations: [],
  services: [],
  endpointSlices: [],
  budgets: [],
  tasks: [],
};

const names = (violations: readonly { readonly invariant: string }[]) =>
  violations.map(({ invariant }) => invariant);

describe('checkOneTaskPerPod', () => {
  it('finds two live tasks of one pod', () => {
    expect(names(checkOneTaskPerPod([task('p', 1), task('p', 2)]))).toEqual(['S1']);
  });
  it('lets an attempt follow one that has ended', () => {
    expect(checkOneTaskPerPod([task('p', 1, 'stopped'), task('p', 2), task('q')])).toEqual([]);
  });
});

describe('checkNodeRoom', () => {
  it('finds pods and tasks that are together too large for their node', () => {
    const pods = [pod('p'), pod('q')];
    const tasks = [task('p'), task('q')];
    expect(names(checkNodeRoom(NODE, { pods, tasks }))).toEqual(['S2', 'S2']);
  });
  it('does not count what has ended', () => {
    const pods = [pod('p'), pod('q', { status: { phase: 'Succeeded' } })];
    const tasks = [task('p'), task('q', 1, 'stopped')];
    expect(checkNodeRoom(NODE, { pods, tasks })).toEqual([]);
  });
});

describe('checkLedger', () => {
  const entry = (podUid: string) => ({ podUid, podName: podUid, namespace: 'a', requests: {} });
  const ledger = (...uids: string[]) =>
    [
      { metadata: { name: 'n1' }, allocations: uids.map(entry) },
    ] as unknown as ClusterFacts['allocations'];
  it('finds a bound pod without an entry', () => {
    expect(names(checkLedger({ pods: [pod('p')], nodes: [], allocations: ledger('q') }))).toEqual([
      'S2',
    ]);
  });
  it('asks for none of a virtual node', () => {
    const labels = { 'nullplane.io/compute': 'fargate' };
    const nodes = [{ ...NODE, metadata: { ...NODE.metadata, labels } }];
    expect(checkLedger({ pods: [pod('p')], nodes, allocations: [] })).toEqual([]);
  });
  it('lets entries of pods that are gone stay until the next write', () => {
    const allocations = ledger('p', 'q');
    expect(checkLedger({ pods: [pod('p')], nodes: [], allocations })).toEqual([]);
  });
});

describe('checkNoLeaks', () => {
  it('finds a task that lives for no pod, or for an attempt that is over', () => {
    const pods = [pod('p', { control: { attempt: 2 } })];
    const tasks = [task('p', 1), task('p', 2), task('gone')];
    expect(names(checkNoLeaks({ pods, tasks }))).toEqual(['L2', 'L2']);
  });
  it('finds a pod that is ready without a task', () => {
    expect(names(checkNoLeaks({ pods: [pod('p')], tasks: [] }))).toEqual(['L2']);
  });
});

describe('S9', () => {
  const guarded = pod('p', {
    metadata: {
      ...{ uid: 'p', name: 'p', namespace: 'd', labels: { app: 'web' } },
      creationTimestamp: '2029-01-01T00:00:00Z',
    },
  });
  const at = '2030-01-01T00:00:00Z';

  it('an evicted pod that was ready had been granted', () => {
    const granted = budget({}, { disruptedPods: { p: at } });
    expect(checkEviction(guarded, [granted])).toEqual([]);
    expect(names(checkEviction(guarded, [budget()]))).toEqual(['S9']);
    const other = budget({ selector: { matchLabels: { app: 'x' } } });
    expect(checkEviction(guarded, [other])).toEqual([]);
    const unready = { ...guarded, status: { phase: 'Running' as const } };
    expect(checkEviction(unready, [budget()])).toEqual([]);
  });

  it('each grant takes one of what is allowed', () => {
    const [before, one] = [budget({}, { disruptionsAllowed: 1 }), { p: at }];
    const of = (disruptionsAllowed: number, disruptedPods: { [name: string]: string }) =>
      budget({}, { disruptionsAllowed, disruptedPods });
    expect(checkGrants(before, of(0, one))).toEqual([]);
    expect(checkGrants(of(0, one), of(2, {}))).toEqual([]);
    expect(names(checkGrants(before, of(1, one)))).toEqual(['S9']);
    expect(names(checkGrants(before, of(-1, { ...one, q: at })))).toEqual(['S9']);
  });
});

describe('checkMatches', () => {
  it('counts the healthy pods of a budget', () => {
    const of = (currentHealthy: number, disruptedPods = {}) => ({
      ...NOBODY,
      budgets: [budget({}, { currentHealthy, disruptedPods })],
    });
    expect(checkMatches(of(0))).toEqual([]);
    expect(names(checkMatches(of(1)))).toEqual(['L1']);
    expect(names(checkMatches(of(0, { p: '2030-01-01T00:00:00Z' })))).toEqual(['L1']);
  });

  it('finds nothing in a cluster that is well', () => {
    expect(checkMatches({ ...NOBODY, pods: [pod('p')] })).toEqual([]);
  });
  it('finds a pod that is not ready, unless nobody expects it to run', () => {
    const waiting = pod('p', { status: { phase: 'Pending' } });
    expect(names(checkMatches({ ...NOBODY, pods: [waiting] }))).toEqual(['L1']);
    expect(checkMatches({ ...NOBODY, pods: [waiting] }, () => true)).toEqual([]);
  });
  it('finds endpoints that are not the ready pods', () => {
    const service = { metadata: { name: 's', namespace: 'a' }, spec: { selector: { app: 'p' } } };
    const labelled = pod('p');
    const metadata = { ...labelled.metadata, labels: { app: 'p' } };
    const facts = {
      ...NOBODY,
      pods: [{ ...labelled, metadata }],
      services: [service] as unknown as ClusterFacts['services'],
    };
    expect(names(checkMatches(facts))).toEqual(['L1']);
  });
});

describe('checkOwners', () => {
  it('finds what has outlived its owner', () => {
    const owned = (uid: string, owner: string) =>
      pod(uid, { metadata: { uid, name: uid, ownerReferences: [{ uid: owner }] } }) as never;
    expect(names(checkOwners([owned('p', 'gone'), owned('q', 'p')]))).toEqual(['L2']);
  });
});
