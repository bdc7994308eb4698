import { describe, expect, it } from 'vitest';
import type { DeploymentSpec, ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { limitsOf } from '../../../shared/core/deployment/limits.ts';
import { rollingSizes } from '../../../shared/core/deployment/rolling.ts';
import { withRefusal } from '../../../shared/core/replicaset/refused.ts';
import { replicaSet, template } from '../replicaset/fixtures.ts';
import { Rollout, rolling } from './model.ts';

const revisions = (rollout: Rollout) =>
  rollout.sets
    .map(({ metadata, spec }) => {
      const image = spec.template?.spec.containers[0]?.image;
      return `${image}:${metadata.annotations?.['deployment.kubernetes.io/revision']}`;
    })
    .toSorted();

function rolledOut(spec: Partial<DeploymentSpec> = {}): Rollout {
  const rollout = new Rollout(spec);
  rollout.settle();
  rollout.told.length = 0;
  return rollout;
}

describe('the limits of a rolling update', () => {
  it.each([
    [10, '25%', '25%', { maxSurge: 3, maxUnavailable: 2 }],
    [1, '25%', '25%', { maxSurge: 1, maxUnavailable: 0 }],
    [3, 0, 0, { maxSurge: 0, maxUnavailable: 1 }],
    [3, '0%', '10%', { maxSurge: 0, maxUnavailable: 1 }],
    [2, 1, 5, { maxSurge: 1, maxUnavailable: 2 }],
    [0, '25%', '25%', { maxSurge: 0, maxUnavailable: 0 }],
  ])('of %i replicas, surge %s, unavailable %s', (replicas, surge, unavailable, limits) => {
    const spec = { replicas, strategy: rolling(surge, unavailable) } as DeploymentSpec;
    expect(limitsOf(spec)).toEqual(limits);
  });
});

describe('the first rollout', () => {
  it('makes one ReplicaSet of full size, named and labelled by the hash of the template', () => {
    const rollout = new Rollout();
    rollout.step();
    const [set] = rollout.sets;
    const hash = set?.metadata.labels?.['pod-template-hash'] ?? '';
    expect(set?.metadata.name).toBe(`web-${hash}`);
    expect(set?.spec.replicas).toBe(3);
    expect(set?.spec.selector).toEqual({ matchLabels: { app: 'web', 'pod-template-hash': hash } });
    expect(set?.spec.template?.metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash });
    expect(set?.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
    });
    expect(rollout.told).toEqual([`Scaled up replica set web-${hash} to 3`]);
  });

  it('says what kubectl users read at the start and at the end', () => {
    const rollout = new Rollout();
    rollout.step();
    expect(rollout.deployment.status).toMatchObject({
      observedGeneration: 1,
      unavailableReplicas: 3,
    });
    expect(rollout.condition('Available')).toBe('False MinimumReplicasUnavailable');
    expect(rollout.condition('Progressing')).toBe('True NewReplicaSetCreated');
    rollout.settle();
    expect(rollout.deployment.status).toMatchObject({
      observedGeneration: 1,
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
    expect(rollout.condition('Available')).toBe('True MinimumReplicasAvailable');
    expect(rollout.condition('Progressing')).toBe('True NewReplicaSetAvailable');
    const { name } = rollout.sets[0]!.metadata;
    expect(rollout.deployment.status.conditions?.map((c) => c.message)).toEqual([
      'Deployment has minimum availability.',
      `ReplicaSet "${name}" has successfully progressed.`,
    ]);
    expect(rollout.deployment.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '1',
    });
  });

  it('then is silent (L3)', () => {
    expect(rolledOut().planned()).toEqual({ stages: [], blocked: [] });
  });

  it('costs writes that grow with the pods alone (B1)', () => {
    const writes = (replicas: number) => rolledOut({ replicas }).writes;
    expect(writes(100) - writes(10)).toBe(2 * 90);
    expect(writes(10)).toBeLessThan(2 * 10 + 15);
  });
});

describe('a rolling update', () => {
  it('goes step by step within its limits, new ones up, old ones down', () => {
    const rollout = rolledOut({ strategy: rolling(1, 0) });
    rollout.change({ template: template('v2') });
    rollout.settle();
    expect(rollout.sizes).toBe('v1=0 v2=3');
    const said = rollout.told.map((text) => text.replace(/web-\S+/, 'web'));
    expect(said).toEqual([
      'Scaled up replica set web to 1',
      'Scaled down replica set web from 3 to 2',
      'Scaled up replica set web from 1 to 2',
      'Scaled down replica set web from 2 to 1',
      'Scaled up replica set web from 2 to 3',
      'Scaled down replica set web from 1 to 0',
    ]);
  });

  it('stops at a version that never becomes ready, and says so after the deadline', () => {
    const rollout = rolledOut();
    rollout.change({ template: template('bad') });
    rollout.settle('bad');
    expect(rollout.sizes).toBe('bad=1 v1=3');
    expect(rollout.readyPods).toBe(3);
    expect(rollout.planned().againAfterMs).toBeGreaterThan(599_000);
    rollout.wait(601);
    rollout.settle('bad');
    expect(rollout.condition('Progressing')).toBe('False ProgressDeadlineExceeded');
    expect(rollout.condition('Available')).toBe('True MinimumReplicasAvailable');
    expect(rollout.planned()).toEqual({ stages: [], blocked: [] });
  });

  it('uses the old ReplicaSet again on undo, under a new revision', () => {
    const rollout = rolledOut();
    rollout.change({ template: template('bad') });
    rollout.settle('bad');
    expect(revisions(rollout)).toEqual(['bad:2', 'v1:1']);
    rollout.change({ template: template() });
    rollout.settle('bad');
    expect(revisions(rollout)).toEqual(['bad:2', 'v1:3']);
    expect(rollout.sizes).toBe('bad=0 v1=3');
    const v1 = rollout.sets.find((set) => set.spec.replicas === 3);
    expect(v1?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(rollout.condition('Progressing')).toBe('True NewReplicaSetAvailable');
  });

  it('lets unhealthy old pods go first, so that a fix gets through', () => {
    const rollout = new Rollout({ template: template('bad'), strategy: rolling(0, 1) });
    rollout.settle('bad');
    rollout.change({ template: template('v2') });
    rollout.settle('bad');
    expect(rollout.sizes).toBe('bad=0 v2=3');
  });

  it('gets past a revision whose pods are refused, and waits for one that is only late', () => {
    const set = (replicas: number, more: object): ReplicaSet => ({
      ...replicaSet(replicas, {}, { generation: 1 }),
      ...more,
    });
    const followed = { observedGeneration: 1 };
    const old = set(2, { status: { replicas: 2, availableReplicas: 2, ...followed } });
    const current = set(0, { status: { replicas: 0, ...followed } });
    const { spec } = new Rollout({ strategy: rolling(1, 0) }).deployment;
    const grown = (late: ReplicaSet) => rollingSizes(spec, { current, old: [old, late] })[0]?.size;
    expect(grown(set(1, {}))).toBe(0);
    expect(grown(withRefusal(set(1, {})))).toBe(1);
  });

  it('waits for minReadySeconds before a pod counts', () => {
    const rollout = rolledOut({ replicas: 2, strategy: rolling(1, 0) });
    rollout.change({ template: template('v2'), minReadySeconds: 30 });
    rollout.settle();
    expect(rollout.sizes).toBe('v1=2 v2=1');
    rollout.wait(31);
    rollout.settle();
    expect(rollout.sizes).toBe('v1=1 v2=2');
  });

  it('keeps as many old ReplicaSets as the history limit says', () => {
    const rollout = rolledOut({ revisionHistoryLimit: 2 });
    for (const image of ['v2', 'v3', 'v4', 'v5']) {
      rollout.change({ template: template(image) });
      rollout.settle();
    }
    expect(revisions(rollout)).toEqual(['v3:3', 'v4:4', 'v5:5']);
  });

  it('takes another name when the one it wants is taken', () => {
    const rollout = new Rollout();
    const { stages } = rollout.planned();
    const [create] = stages[0] ?? [];
    if (create?.kind !== 'create') throw new Error('expected a creation');
    const { ownerReferences: _, ...metadata } = create.object.metadata;
    const labels = { app: 'stranger' };
    const spec = { ...(create.object.spec as object), replicas: 0 };
    rollout.put('replicasets.apps', {
      ...create.object,
      metadata: { ...metadata, labels },
      spec,
    } as AnyObject);
    rollout.settle();
    expect(rollout.deployment.status.collisionCount).toBe(1);
    expect(rollout.sets.length).toBe(2);
    expect(rollout.readyPods).toBe(3);
  });

  it('makes no set that it would not know again', () => {
    const rollout = new Rollout({ selector: { matchLabels: { app: 'spoilt' } } });
    const { stages, blocked } = rollout.planned();
    expect([stages, blocked]).toEqual([
      [],
      ['its selector does not select what its template makes'],
    ]);
  });
});

describe('Recreate', () => {
  it('starts no new pod before the last old one is gone, terminating ones included', () => {
    const rollout = rolledOut({ strategy: { type: 'Recreate' } });
    for (const pod of rollout.pods) rollout.put('pods', { ...pod, control: { attempt: 1 } });
    rollout.change({ template: template('v2') });
    rollout.settle();
    expect(rollout.pods.length).toBe(3);
    expect(rollout.pods.every((pod) => pod.metadata.deletionTimestamp)).toBe(true);
    expect(rollout.sizes).toBe('v1=0');
    for (const pod of rollout.pods) rollout.delete('pods', pod);
    rollout.settle();
    expect(rollout.sizes).toBe('v1=0 v2=3');
    expect(rollout.readyPods).toBe(3);
  });

  it('scales like any other', () => {
    const rollout = rolledOut({ strategy: { type: 'Recreate' } });
    rollout.change({ replicas: 5 });
    rollout.settle();
    expect([rollout.sizes, rollout.readyPods]).toEqual(['v1=5', 5]);
  });
});

describe('a paused Deployment', () => {
  it('scales but does not roll out, and goes on when it is resumed', () => {
    const rollout = rolledOut();
    rollout.change({ paused: true });
    rollout.settle();
    expect(rollout.condition('Progressing')).toBe('Unknown DeploymentPaused');
    rollout.change({ template: template('v2'), replicas: 4 });
    rollout.settle();
    expect(rollout.sizes).toBe('v1=4');
    rollout.change({ paused: false });
    rollout.step();
    expect(rollout.condition('Progressing')).toBe('True NewReplicaSetCreated');
    rollout.settle();
    expect(rollout.sizes).toBe('v1=0 v2=4');
  });

  it('says that it was resumed when nothing had changed', () => {
    const rollout = rolledOut();
    rollout.change({ paused: true });
    rollout.settle();
    rollout.change({ paused: false });
    rollout.settle();
    expect(rollout.condition('Progressing')).toBe('True NewReplicaSetAvailable');
  });
});

describe('scaling', () => {
  it('reaches the pods in the middle of a stuck rollout in proportion', () => {
    const rollout = rolledOut({ replicas: 10, strategy: rolling(3, 2) });
    rollout.change({ template: template('bad') });
    rollout.settle('bad');
    expect(rollout.sizes).toBe('bad=5 v1=8');
    rollout.change({ replicas: 15 });
    rollout.step();
    // As in the Kubernetes documentation: 5 more pods, 3 for the larger set and 2 for the other.
    expect(rollout.sizes).toBe('bad=7 v1=11');
  });

  it('goes to zero and back', () => {
    const rollout = rolledOut();
    rollout.change({ replicas: 0 });
    rollout.settle();
    expect(rollout.pods.length).toBe(0);
    rollout.change({ replicas: 2 });
    rollout.settle();
    expect(rollout.readyPods).toBe(2);
    expect(rollout.told.at(-1)).toMatch(/^Scaled up replica set web-\S+ from 0 to 2$/);
  });
});

describe('what ReplicaSets take over from their Deployment', () => {
  it('is its annotations, but for those that speak of the Deployment itself', () => {
    const rollout = rolledOut();
    const { deployment } = rollout;
    const annotations = {
      ...deployment.metadata.annotations,
      'kubernetes.io/change-cause': 'an image',
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
    };
    const metadata = { ...deployment.metadata, annotations };
    rollout.put('deployments.apps', { ...deployment, metadata });
    rollout.settle();
    const [set] = rollout.sets;
    expect(set?.metadata.annotations?.['kubernetes.io/change-cause']).toBe('an image');
    expect(Object.keys(set?.metadata.annotations ?? {})).not.toContain(
      'kubectl.kubernetes.io/last-applied-configuration',
    );
  });
});
