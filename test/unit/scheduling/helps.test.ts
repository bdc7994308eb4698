import { describe, expect, it } from 'vitest';
import type { Change } from '../../../shared/api/change.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { AnyObject, KubeObject } from '../../../shared/api/meta.ts';
import { wakesScheduler } from '../../../shared/control/scheduler.ts';
import { helpsOf } from '../../../shared/core/scheduling/helps.ts';
import { ledger, namespace, node, pod, running } from './fixtures.ts';

const put = (resource: string, object: KubeObject, previous?: KubeObject): Change => ({
  type: 'put',
  resource,
  object: object as AnyObject,
  ...(previous ? { previous: previous as AnyObject } : {}),
});
const gone = (resource: string, object: KubeObject): Change => ({
  type: 'delete',
  resource,
  object: object as AnyObject,
});

const p = pod('p', { labels: { app: 'web' } });
const bound = running('a', p);
const ended = (of: Pod): Pod => ({ ...of, status: { ...of.status, phase: 'Succeeded' } });
const noisy = (of: Pod): Pod => ({ ...of, status: { ...of.status, message: 'noise' } });
const relabelled = (of: Pod): Pod => ({ ...of, metadata: { ...of.metadata, labels: {} } });
const leaving = (of: Pod): Pod => ({
  ...of,
  metadata: { ...of.metadata, deletionTimestamp: '2024-01-01T00:00:00Z' },
});
const gates = [{ name: 'quota' }];
const gated = pod('p', { labels: { app: 'web' }, spec: { schedulingGates: gates } });
const a = node('a');
const heartbeat: Node = { ...a, status: { ...a.status, nodeInfo: { seen: 'now' } } };
const grown = node('a', { allocatable: { cpu: '8' } });
const cordoned = node('a', { spec: { unschedulable: true } });
const ns = namespace('x', { team: 'one' });

const cases: readonly [string, Change, readonly string[]][] = [
  ['a new pod', put('pods', p), ['podPending']],
  ['the status of a pending pod', put('pods', noisy(p), p), []],
  ['a gate that is taken away', put('pods', p, gated), ['podPending']],
  ['new labels of a pending pod', put('pods', relabelled(p), p), ['podPending']],
  ['a pending pod that goes', gone('pods', p), []],
  ['a pod that is bound', put('pods', bound, p), ['podBound']],
  ['the status of a bound pod', put('pods', noisy(bound), bound), []],
  ['new labels of a bound pod', put('pods', relabelled(bound), bound), ['podRelabelled']],
  ['a bound pod that begins to leave', put('pods', leaving(bound), bound), ['podRelabelled']],
  ['a bound pod that ends', put('pods', ended(bound), bound), ['podGone']],
  ['a bound pod that ends, unseen before', put('pods', ended(bound)), ['podGone']],
  ['the status of a pod that has ended', put('pods', noisy(ended(bound)), ended(bound)), []],
  ['a bound pod that goes', gone('pods', bound), ['podGone']],
  [
    'a pod that asks for a node of its own',
    put('pods', pod('p', { spec: { nodeName: 'a' } })),
    ['podPending'],
  ],
  ['another scheduler’s pod', put('pods', pod('p', { spec: { schedulerName: 'other' } })), []],
  ['a new node', put('nodes', a), ['nodeAdded']],
  ['a heartbeat', put('nodes', heartbeat, a), []],
  ['more room', put('nodes', grown, a), ['nodeChanged']],
  ['an uncordoned node', put('nodes', a, cordoned), ['nodeChanged']],
  ['a node that goes', gone('nodes', a), ['nodeRemoved']],
  ['new labels of a namespace', put('namespaces', ns, namespace('x', {})), ['namespaceChanged']],
  ['the status of a namespace', put('namespaces', ns, ns), []],
  ['a ledger', put('nodeallocations.nullplane.io', ledger('a', p)), []],
];

describe('what a change may help with', () => {
  it.each(cases)('%s', (_name, change, expected) => {
    expect(helpsOf(change)).toEqual(expected);
    expect(wakesScheduler(change)).toBe(expected.length > 0);
  });
});
