import { describe, expect, it } from 'vitest';
import { namespaceController } from '../../../shared/control/controllers/namespace.ts';
import { serviceAccountController } from '../../../shared/control/controllers/service-account.ts';
import { Loop } from '../gc/loop.ts';

const active = { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
const controllers = () => new Loop(namespaceController, serviceAccountController('CA'));
const all = ['namespaces', 'pods', 'configmaps', 'secrets', 'serviceaccounts'];
const inventory = async (loop: Loop) => (await Promise.all(all.map((r) => loop.names(r)))).flat();

const runningPod = {
  spec: { nodeName: 'n', terminationGracePeriodSeconds: 30 },
  status: { phase: 'Running' },
  control: { attempt: 1 },
};

describe('a namespace', () => {
  it('has the account `default` and the root CA, and gets them back', async () => {
    const loop = controllers();
    await loop.create('namespaces', 'd', active);
    await loop.settle();
    expect(await inventory(loop)).toEqual(['d', 'kube-root-ca.crt', 'default']);
    const ca = { metadata: { name: 'kube-root-ca.crt', namespace: 'd' } } as never;
    await loop.change('configmaps', ca, (now) => ({ ...now, data: { 'ca.crt': 'forged' } }));
    await loop.delete('serviceaccounts', {
      metadata: { name: 'default', namespace: 'd' },
    } as never);
    await loop.settle();
    expect(await inventory(loop)).toEqual(['d', 'kube-root-ca.crt', 'default']);
    expect((await loop.get('configmaps', ca))?.data).toEqual({ 'ca.crt': 'CA' });
  });

  it('goes with all that is in it, and nothing of others', async () => {
    const loop = controllers();
    const namespace = await loop.create('namespaces', 'd', active);
    for (let i = 0; i < 501; i++) await loop.create('configmaps', `m${i}`);
    await loop.create('secrets', 's', { metadata: { namespace: 'other' } });
    await loop.settle();
    await loop.delete('namespaces', namespace);
    await loop.settle();
    expect(await inventory(loop)).toEqual(['s']);
  });

  it('waits for its pods and for finalizers of others, and says what is left', async () => {
    const loop = controllers();
    const namespace = await loop.create('namespaces', 'd', active);
    const pod = await loop.create('pods', 'p', runningPod);
    const held = await loop.create('secrets', 's', { metadata: { finalizers: ['a/b'] } });
    await loop.delete('namespaces', namespace);
    await loop.settle();
    expect((await loop.get('namespaces', namespace))?.status).toMatchObject({
      phase: 'Terminating',
      conditions: [
        {
          type: 'NamespaceContentRemaining',
          status: 'True',
          message: 'Some resources are remaining: pods, secrets',
        },
        {
          type: 'NamespaceFinalizersRemaining',
          message: 'Some content in the namespace has finalizers remaining: a/b',
        },
      ],
    });
    await loop.change('pods', pod, (now) => ({
      ...now,
      control: { attempt: 1, taskStopped: true },
    }));
    await loop.delete('pods', pod);
    await loop.settle();
    expect(await inventory(loop)).toEqual(['d', 's']);
    await loop.change('secrets', held, (now) => {
      const { finalizers: _, ...metadata } = now.metadata;
      return { ...now, metadata };
    });
    await loop.delete('secrets', held);
    await loop.settle();
    expect(await inventory(loop)).toEqual([]);
  });

  it('that somebody else holds loses our finalizer only', async () => {
    const loop = controllers();
    const finalizers = ['kubernetes', 'example.com/hold'];
    const namespace = await loop.create('namespaces', 'd', { ...active, spec: { finalizers } });
    await loop.delete('namespaces', namespace);
    await loop.settle();
    const left = await loop.get('namespaces', namespace);
    expect(left?.spec).toEqual({ finalizers: ['example.com/hold'] });
  });

  it('writes nothing more while it waits (L3)', async () => {
    const loop = controllers();
    const namespace = await loop.create('namespaces', 'd', active);
    await loop.create('secrets', 's', { metadata: { finalizers: ['a/b'] } });
    await loop.delete('namespaces', namespace);
    await loop.settle();
    const writes = loop.writes.length;
    await loop.wake('namespaces', namespace);
    expect(loop.writes.length).toBe(writes);
  });

  it('empties again what slips in while it is going', async () => {
    const loop = controllers();
    const namespace = await loop.create('namespaces', 'd', active);
    const pod = await loop.create('pods', 'p', runningPod);
    await loop.delete('namespaces', namespace);
    await loop.settle();
    await loop.create('secrets', 'late');
    await loop.settle();
    expect(await inventory(loop)).toEqual(['d', pod.metadata.name]);
  });
});
