import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../shared/api/meta.ts';
import { gcController } from '../../../shared/control/controllers/gc.ts';
import { Loop, ownedBy } from './loop.ts';

const MAPS = 'configmaps';
const SETS = 'replicasets.apps';
const map = (owner: KubeObject, more: object = {}) => ({
  metadata: ownedBy(owner, 'ConfigMap', more),
});

describe('objects whose owner goes', () => {
  it('go too, and theirs after them', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    const child = await loop.create(MAPS, 'child', map(owner));
    await loop.create('secrets', 'grandchild', map(child));
    await loop.create(MAPS, 'bystander');
    await loop.settle();
    await loop.delete(MAPS, owner);
    await loop.settle();
    expect([await loop.names(MAPS), await loop.names('secrets')]).toEqual([['bystander'], []]);
  });

  it('go gracefully when they are pods that run', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    const pod = await loop.create('pods', 'p', {
      ...map(owner),
      spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 },
      status: { phase: 'Running' },
      control: { attempt: 1 },
    });
    await loop.delete(MAPS, owner);
    await loop.settle();
    expect((await loop.get('pods', pod))?.metadata.deletionGracePeriodSeconds).toBe(30);
  });

  it('stay while another owner is there, and forget the one that is gone', async () => {
    const loop = new Loop(gcController);
    const [gone, stays] = [await loop.create(MAPS, 'gone'), await loop.create(MAPS, 'stays')];
    const references = [gone, stays].flatMap((o) => ownedBy(o, 'ConfigMap').ownerReferences);
    const child = await loop.create(MAPS, 'child', { metadata: { ownerReferences: references } });
    await loop.delete(MAPS, gone);
    await loop.settle();
    const left = (await loop.get(MAPS, child))?.metadata.ownerReferences;
    expect(left?.map((reference) => reference.name)).toEqual(['stays']);
  });

  it('go at once when their owner never was, or is a namesake', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    await loop.create(
      MAPS,
      'child',
      map({ ...owner, metadata: { ...owner.metadata, uid: 'other' } }),
    );
    await loop.settle();
    expect(await loop.names(MAPS)).toEqual(['owner']);
  });

  it('stay when nobody can tell: their owner is of a kind that is not served', async () => {
    const loop = new Loop(gcController);
    const owner = { metadata: { name: 'o', uid: 'u' } } as KubeObject;
    const metadata = ownedBy(owner, 'Unheard', {}, 'example.com/v1');
    await loop.create(MAPS, 'child', { metadata });
    await loop.settle();
    expect(await loop.names(MAPS)).toEqual(['child']);
  });

  it('cost nothing while their owner is there (L3)', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    await loop.create(MAPS, 'child', map(owner));
    await loop.settle();
    expect(loop.writes.length).toBe(2);
  });
});

describe('foreground deletion', () => {
  async function family(loop: Loop) {
    const owner = await loop.create(MAPS, 'owner');
    const set = await loop.create(SETS, 'set', map(owner, { blockOwnerDeletion: true }));
    const pod = await loop.create('pods', 'p', {
      metadata: ownedBy(set, 'ReplicaSet', { blockOwnerDeletion: true }, 'apps/v1'),
      spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 },
      status: { phase: 'Running' },
      control: { attempt: 1 },
    });
    await loop.settle();
    await loop.delete(MAPS, owner, { propagationPolicy: 'Foreground' });
    await loop.settle();
    return { owner, set, pod };
  }

  it('keeps the owner until the last dependent, however deep, is gone', async () => {
    const loop = new Loop(gcController);
    const { pod } = await family(loop);
    expect([await loop.names(MAPS), await loop.names(SETS)]).toEqual([['owner'], ['set']]);
    await loop.change('pods', pod, (now) => ({
      ...now,
      control: { attempt: 1, taskStopped: true },
    }));
    await loop.delete('pods', pod);
    await loop.settle();
    const left = [await loop.names(MAPS), await loop.names(SETS), await loop.names('pods')];
    expect(left).toEqual([[], [], []]);
  });

  it('does not wait for a dependent that was let go', async () => {
    const loop = new Loop(gcController);
    const { set } = await family(loop);
    await loop.change(SETS, set, (now) => {
      const { ownerReferences: _, ...metadata } = now.metadata;
      return { ...now, metadata };
    });
    await loop.settle();
    expect(await loop.names(MAPS)).toEqual([]);
  });

  it('does not wait for dependents that do not block', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    await loop.create(MAPS, 'child', {
      metadata: { ...ownedBy(owner, 'ConfigMap'), finalizers: ['a/b'] },
    });
    await loop.delete(MAPS, owner, { propagationPolicy: 'Foreground' });
    await loop.settle();
    expect(await loop.names(MAPS)).toEqual(['child']);
  });
});

describe('orphaning deletion', () => {
  it('frees the dependents, then lets the owner go', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    const child = await loop.create(MAPS, 'child', map(owner, { blockOwnerDeletion: true }));
    await loop.delete(MAPS, owner, { propagationPolicy: 'Orphan' });
    await loop.settle();
    expect(await loop.names(MAPS)).toEqual(['child']);
    expect((await loop.get(MAPS, child))?.metadata.ownerReferences).toBeUndefined();
  });

  it('frees more dependents than one plan takes', async () => {
    const loop = new Loop(gcController);
    const owner = await loop.create(MAPS, 'owner');
    for (let i = 0; i < 501; i++) await loop.create('secrets', `child-${i}`, map(owner));
    await loop.delete(MAPS, owner, { propagationPolicy: 'Orphan' });
    await loop.settle();
    expect([await loop.names(MAPS), (await loop.names('secrets')).length]).toEqual([[], 501]);
  });
});

describe('an index that lags behind', () => {
  const lagging: typeof gcController = {
    ...gcController,
    snapshot: (key, read) =>
      gcController.snapshot(key, {
        get: read.get,
        list: async (query) => {
          const page = await read.list<never>(query);
          return query.index ? { ...page, items: [] } : page;
        },
      }),
  };

  it.each(['Orphan', 'Foreground'] as const)('lets no owner go (%s)', async (propagationPolicy) => {
    const loop = new Loop(lagging);
    const owner = await loop.create(MAPS, 'owner');
    const references = ownedBy(owner, 'ConfigMap', { blockOwnerDeletion: true });
    const metadata = { ...references, finalizers: ['a/b'] };
    const child = await loop.create('secrets', 'child', { metadata });
    await loop.delete(MAPS, owner, { propagationPolicy });
    await loop.settle();
    const isOrphan = propagationPolicy === 'Orphan';
    expect(await loop.names(MAPS)).toEqual(isOrphan ? [] : ['owner']);
    expect((await loop.get('secrets', child))?.metadata.ownerReferences === undefined).toBe(
      isOrphan,
    );
  });
});
