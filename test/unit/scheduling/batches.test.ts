import { describe, expect, it } from 'vitest';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { batchTaskIdOf, parseBatchTaskId } from '../../../shared/api/task.ts';
import { batchesOf } from '../../../shared/core/scheduling/batches.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { ledger, node, NOW_MS, pod, snapshot } from './fixtures.ts';

const joined = (name: string): Node =>
  ({ ...node(name), control: { registrationId: `at-${name}` } }) as Node;

const place = (name: string, ...pods: readonly Pod[]) => ({
  node: joined(name),
  ledger: undefined,
  pods,
});

function replica(name: string, given: Parameters<typeof pod>[1] = {}): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid-web' };
  const ownerReferences = [{ ...owner, controller: true }];
  const annotations = { 'nullplane.io/slot': name };
  return pod(`web-7f9-${name}`, {
    labels: { app: 'web' },
    meta: { ownerReferences, annotations },
    ...given,
  });
}

const env = (fieldPath: string) => {
  const from = { name: 'X', valueFrom: { fieldRef: { fieldPath, apiVersion: 'v1' } } };
  const [container] = pod('p').spec.containers;
  return { spec: { containers: [{ ...container, env: [from] }] } } as Parameters<typeof pod>[1];
};

function shown(placed: Parameters<typeof batchesOf>[0], size = 10): readonly string[] {
  const batches = [...batchesOf(placed, size, NOW_MS)];
  const byToken = Map.groupBy(batches, ([, { token }]) => token);
  return [...byToken.values()].map((members) =>
    members.map(([uid, of]) => `${uid.split('-').at(-1)}@${of.at}${of.with ? '!' : ''}`).join(' '),
  );
}

describe('launches that are asked for together', () => {
  it('are those of replicas on different machines; the last of them asks', () => {
    const placed = [place('a', replica('p')), place('b', replica('q')), place('c', replica('r'))];
    expect(shown(placed)).toEqual(['p@at-a q@at-b r@at-c!']);
    const batches = batchesOf(placed, 10, NOW_MS);
    expect(batches.get('uid-default-web-7f9-r')?.with).toEqual(['web-7f9-p', 'web-7f9-q']);
    expect(batches.get('uid-default-web-7f9-p')?.with).toBeUndefined();
  });

  it('are one a machine, and no more than fit in a question', () => {
    const placed = [
      place('a', replica('a1'), replica('a2')),
      place('b', replica('b1'), replica('b2')),
      place('c', replica('c1')),
    ];
    expect(shown(placed)).toEqual(['a1@at-a b1@at-b c1@at-c!', 'a2@at-a b2@at-b!']);
    expect(shown(placed, 2)).toEqual(['a1@at-a b1@at-b!', 'a2@at-a b2@at-b!']);
    expect(shown(placed, 1)).toEqual([]);
  });

  it.each([
    ['on virtual nodes', [{ ...place('a', replica('p')), node: virtual('a') }]],
    ['on nodes without a registration', [{ ...place('a', replica('p')), node: node('a') }]],
    ['of another owner', [place('a', replica('p', { meta: {} }))]],
    ['of another namespace', [place('a', replica('p', { namespace: 'other' }))]],
    ['with other requests', [place('a', replica('p', { requests: { cpu: '2' } }))]],
    ['with other labels', [place('a', replica('p', { labels: { app: 'x' } }))]],
    ['that are told their names', [place('a', replica('p', env('metadata.name')))]],
    ['that are told their address', [place('a', replica('p', env('status.podIP')))]],
    [
      'that an earlier pass gave room to',
      [{ ...place('a', replica('p')), ledger: ledger('a', replica('p')) }],
    ],
  ])('do not include pods %s', (_which, others) => {
    const placed = [...others, place('x', replica('y')), place('z', replica('w'))];
    expect(shown(placed)).toEqual(['y@at-x w@at-z!']);
  });

  it('may include pods that are told what all of them are', () => {
    const told = (name: string) => replica(name, env('metadata.namespace'));
    expect(shown([place('a', told('p')), place('b', told('q'))])).toEqual(['p@at-a q@at-b!']);
  });

  it('have a token that tells them from those of every other pass', () => {
    const placed = [place('a', replica('p')), place('b', replica('q'))];
    const token = (nowMs: number) =>
      batchesOf(placed, 10, nowMs).get('uid-default-web-7f9-p')?.token;
    expect(token(1)).toBe(token(1));
    expect(token(1)).not.toBe(token(2));
    const id = batchTaskIdOf(token(1) ?? '', 'at-a');
    expect(parseBatchTaskId(id)).toEqual({ token: token(1), at: 'at-a' });
  });

  it('are written down with the binding, and in the ledgers before it', () => {
    const nodes = [joined('a'), joined('b')];
    const pods = [replica('p'), replica('q')];
    const { plans } = schedule(snapshot({ nodes, pods }), NOW_MS, { batchSize: 10 });
    const writes = plans.flatMap(({ stages }) => stages.flat());
    const tokens = writes.flatMap((write) => {
      const text = JSON.stringify(write);
      return [...text.matchAll(/"(?:batch|token)":"(b-[0-9a-f]{32})"/g)].map(([, token]) => token);
    });
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens).size).toBe(1);
  });
});

function virtual(name: string): Node {
  const labels = { 'nullplane.io/compute': 'fargate' };
  return { ...node(name, { labels }), control: { registrationId: 'x' } } as Node;
}
