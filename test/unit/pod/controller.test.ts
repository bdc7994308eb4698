import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Change } from '../../../shared/api/change.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { type AnyObject, draftMeta, type ObjectKey } from '../../../shared/api/meta.ts';
import { wellFormed } from '../../../shared/api/well-formed.ts';
import { nodeController } from '../../../shared/control/controllers/node.ts';
import { LEDGERS } from '../../../shared/core/scheduling/ledger.ts';
import { podController } from '../../../shared/control/controllers/pod.ts';
import { makePod } from './pod-life.ts';

const store = () => new MemoryStore({ clock: new StepClock() });

function put(resource: string, object: object, previous?: object): Change {
  const change = { type: 'put' as const, resource, object: object as AnyObject };
  return previous ? { ...change, previous: previous as AnyObject } : change;
}

function makeNode(status: 'True' | 'Unknown'): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: draftMeta({ name: 'node-1', uid: 'n' }),
    spec: {},
    status: { conditions: [{ type: 'Ready', status }] },
  };
}

const RUNNING: Partial<Pod> = { control: { attempt: 1, taskId: 'x-1', taskVersion: 1 } };

describe('the pod controller', () => {
  it.each([
    ['has just been bound', { control: { attempt: 1, intentAtMs: 0 } }, true],
    ['simply runs', RUNNING, false],
    ['has crashed', { control: { ...RUNNING.control, taskStopped: true } }, true],
    ['has no node yet', { spec: { ...makePod().spec, nodeName: '' } }, false],
  ])('is woken by a pod that %s: %s', async (_what, given, wakes) => {
    const keys = await podController.wakes(put('pods', { ...makePod(), ...given }), store());
    expect(keys.length > 0).toBe(wakes);
  });

  it('is woken by the Secret that a pod waits for, and by no other', async () => {
    const read = store();
    await read.create('pods', { ...makePod(), control: { waitsFor: ['secrets/token'] } });
    const secret = (name: string) => ({ metadata: draftMeta({ name, namespace: 'default' }) });
    expect(await podController.wakes(put('secrets', secret('token')), read)).toHaveLength(1);
    expect(await podController.wakes(put('secrets', secret('other')), read)).toHaveLength(0);
    expect(await podController.wakes(put('configmaps', secret('token')), read)).toHaveLength(0);
  });

  it('is woken by the return of a node, for the pods that have something to do', async () => {
    const read = store();
    await read.create('pods', { ...makePod(), control: { attempt: 1 } });
    const named = (name: string) => ({ ...makePod().metadata, name });
    await read.create('pods', { ...makePod(), ...RUNNING, metadata: named('runs') });
    const back = put('nodes', makeNode('True'), makeNode('Unknown'));
    expect(await podController.wakes(back, read)).toHaveLength(1);
    const same = put('nodes', makeNode('True'), makeNode('True'));
    expect(await podController.wakes(same, read)).toHaveLength(0);
  });

  it('sees names of what is missing, and no values', async () => {
    const read = store();
    const env = [{ name: 'T', valueFrom: { secretKeyRef: { name: 'token', key: 'k' } } }];
    const [app] = makePod().spec.containers;
    const pod = makePod({
      containers: [{ ...app, name: 'app', env } as Pod['spec']['containers'][0]],
    });
    await read.create('pods', { ...pod, control: { attempt: 1 } });
    await read.create('nodes', makeNode('True'));
    const key = { resource: 'pods', namespace: 'default', name: 'web-1' };
    expect(await podController.snapshot(key, read)).toMatchObject({
      node: 'ready',
      want: { waitsFor: ['secrets/token'], containers: { app: 'secret "token" not found' } },
    });
  });
});

describe('the node controller', () => {
  it('is woken by pods only when they come to a node that they may have to leave', async () => {
    const read = store();
    await read.create('nodes', makeNode('True'));
    const bound = makePod();
    const unbound = { ...bound, spec: { ...bound.spec, nodeName: '' } };
    expect(await nodeController.wakes(put('pods', bound, unbound), read)).toEqual([]);
    const lost = makePod({ nodeName: 'nowhere' });
    expect(await nodeController.wakes(put('pods', lost, unbound), read)).toMatchObject([
      { resource: 'nodes', name: 'nowhere' },
    ]);
    expect(await nodeController.wakes(put('pods', lost, lost), read)).toEqual([]);
  });

  it('is woken by a ledger that goes, and looks whether the node has one', async () => {
    const read = store();
    const node = makeNode('True');
    await read.create('nodes', node);
    const ledger = { ...node, metadata: draftMeta({ name: 'node-1', uid: 'l' }), allocations: [] };
    const [resource, object] = [LEDGERS, ledger];
    expect(await nodeController.wakes(put(resource, object), read)).toEqual([]);
    const gone = { type: 'delete' as const, resource, object };
    const [key] = await nodeController.wakes(gone, read);
    expect(key).toEqual({ resource: 'nodes', namespace: '', name: 'node-1' });
    const lacksLedger = async () => key && (await nodeController.snapshot(key, read))?.lacksLedger;
    expect(await lacksLedger()).toBe(true);
    const made = await read.create(resource, object);
    expect(await lacksLedger()).toBe(false);
    const spoilt = wellFormed(resource, { ...made, allocations: 'x' });
    expect(await nodeController.wakes(put(resource, spoilt), read)).toEqual([key]);
    const list = read.list.bind(read);
    const get = ({ resource: of }: ObjectKey) =>
      Promise.resolve((of === LEDGERS ? spoilt : node) as never);
    const shown = { get, list };
    expect(key && (await nodeController.snapshot(key, shown))?.lacksLedger).toBe(true);
  });
});
