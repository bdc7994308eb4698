import { describe, expect, it } from 'vitest';
import type { Pod, PodControl } from '../../../shared/api/kinds/pod.ts';
import type { AnyObject, KubeObject } from '../../../shared/api/meta.ts';
import { deletion, mayBeRemoved } from '../../../shared/core/deletion.ts';
import type { Action } from '../../../shared/core/plan.ts';
import { QUESTION_MS } from '../../../shared/core/pod/attempt.ts';

const NOW_MS = 1_000_000;
const at = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

function object(kind: string, metadata: object = {}, rest: object = {}): AnyObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: { name: 'x', namespace: 'd', uid: 'u1', resourceVersion: '7', ...metadata },
    ...rest,
  } as AnyObject;
}

function pod(control?: PodControl, metadata: object = {}, status: object = { phase: 'Running' }) {
  const spec = { nodeName: 'n1', containers: [], terminationGracePeriodSeconds: 30 };
  return object('Pod', metadata, {
    spec,
    status,
    ...(control ? { control } : {}),
  }) as unknown as Pod;
}

const running: PodControl = { attempt: 1, intentAtMs: 1 };

function written(action: Action | undefined): KubeObject {
  if (action?.kind !== 'update') throw new Error(`expected an update, got ${action?.kind}`);
  return action.object;
}

describe('deletion of objects that own no task', () => {
  it('removes exactly the version that was seen when nothing holds the object', () => {
    expect(deletion('configmaps', object('ConfigMap'), {}, NOW_MS)).toEqual({
      kind: 'remove',
      key: { resource: 'configmaps', namespace: 'd', name: 'x' },
      expected: { uid: 'u1', resourceVersion: '7' },
    });
  });

  it('only marks an object that has finalizers, and bumps its generation', () => {
    const held = object('Deployment', { finalizers: ['a/b'], generation: 3 });
    expect(written(deletion('deployments.apps', held, {}, NOW_MS)).metadata).toMatchObject({
      deletionTimestamp: at(NOW_MS),
      deletionGracePeriodSeconds: 0,
      generation: 4,
      finalizers: ['a/b'],
    });
  });

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ] as const)('%s adds its finalizer and waits for the garbage collector', (policy, finalizers) => {
    const action = deletion(
      'deployments.apps',
      object('Deployment'),
      { propagationPolicy: policy },
      1,
    );
    expect(written(action).metadata.finalizers).toEqual(finalizers);
  });

  it('changes nothing when asked twice', () => {
    const held = object('Deployment', { finalizers: ['a/b'], generation: 3 });
    const once = written(deletion('deployments.apps', held, {}, NOW_MS));
    expect(deletion('deployments.apps', once, {}, NOW_MS + 5_000)).toBeUndefined();
  });

  it('lets a later deletion choose another propagation', () => {
    const once = written(
      deletion('deployments.apps', object('D'), { propagationPolicy: 'Foreground' }, NOW_MS),
    );
    const again = deletion('deployments.apps', once, { propagationPolicy: 'Background' }, NOW_MS);
    expect(again?.kind).toBe('remove');
  });
});

describe('deletion of pods', () => {
  it('gives a running pod its grace and keeps it', () => {
    const next = written(deletion('pods', pod(running), {}, NOW_MS)).metadata;
    expect(next.deletionTimestamp).toBe(at(NOW_MS + 30_000));
    expect(next.deletionGracePeriodSeconds).toBe(30);
  });

  it.each([
    ['was never launched', pod(), {}],
    ['has a task that is known to have ended', pod({ attempt: 2, taskStopped: true }), {}],
    ['was on a node that is gone for good', pod(running), { nodeLost: true }],
  ])('removes a pod that %s', (_why, given, options) => {
    expect(deletion('pods', given, options, NOW_MS)?.kind).toBe('remove');
  });

  it('keeps a force-deleted pod until its task is known to have ended (S5)', () => {
    const forced = written(deletion('pods', pod(running), { gracePeriodSeconds: 0 }, NOW_MS));
    expect(forced.metadata.deletionGracePeriodSeconds).toBe(0);
    expect(mayBeRemoved('pods', forced, NOW_MS)).toBe(false);
    const ended = { ...forced, control: { attempt: 1, taskStopped: true } };
    expect(mayBeRemoved('pods', ended, NOW_MS)).toBe(true);
  });

  it('keeps a refused pod while another process may ask for it still (S5)', () => {
    const refused = pod({ attempt: 1, taskStopped: true, refusedAtMs: NOW_MS });
    const marked = written(deletion('pods', refused, {}, NOW_MS + 1));
    expect(mayBeRemoved('pods', marked, NOW_MS + QUESTION_MS - 1)).toBe(false);
    expect(mayBeRemoved('pods', marked, NOW_MS + QUESTION_MS)).toBe(true);
    expect(deletion('pods', refused, { nodeLost: true }, NOW_MS)?.kind).toBe('remove');
  });

  it('keeps a settled pod that has finalizers, also when its node is gone', () => {
    const held = pod(running, { finalizers: ['a/b'] });
    expect(deletion('pods', held, { nodeLost: true }, NOW_MS)?.kind).toBe('update');
  });

  it('only ever shortens the grace', () => {
    const once = written(deletion('pods', pod(running), {}, NOW_MS));
    expect(deletion('pods', once, { gracePeriodSeconds: 60 }, NOW_MS)).toBeUndefined();
    const sooner = written(deletion('pods', once, { gracePeriodSeconds: 5 }, NOW_MS + 2_000));
    expect(sooner.metadata.deletionTimestamp).toBe(at(NOW_MS + 5_000));
    expect(sooner.metadata.generation).toBe(once.metadata.generation);
  });

  it('takes a negative grace for the shortest one', () => {
    const next = written(deletion('pods', pod(running), { gracePeriodSeconds: -1 }, NOW_MS));
    expect(next.metadata.deletionGracePeriodSeconds).toBe(1);
  });
});

describe('deletion of namespaces', () => {
  const namespace = (finalizers: readonly string[]) =>
    object(
      'Namespace',
      { namespace: undefined },
      { spec: { finalizers }, status: { phase: 'Active' } },
    );

  it.each([[['kubernetes']], [[]]])(
    'turns it Terminating until it is emptied: %j',
    (finalizers) => {
      const next = written(deletion('namespaces', namespace(finalizers), {}, NOW_MS)) as AnyObject;
      expect(next.status).toEqual({ phase: 'Terminating' });
      expect(next.spec).toEqual({ finalizers: ['kubernetes'] });
      expect(mayBeRemoved('namespaces', next, NOW_MS)).toBe(false);
      expect(deletion('namespaces', next, {}, NOW_MS + 1_000)).toBeUndefined();
      const emptied = { ...next, spec: { finalizers: [] } } as AnyObject;
      expect(mayBeRemoved('namespaces', emptied, NOW_MS)).toBe(true);
    },
  );
});
