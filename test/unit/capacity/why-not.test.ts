/** What a pod is told of pools that launch nothing for it. */
import { expect, it } from 'vitest';
import { GPU_MILLI, GPU_SHARING_LABEL, migResource } from '../../../shared/api/gpus.ts';
import type { PodSpec } from '../../../shared/api/kinds/pod.ts';
import type { Labels } from '../../../shared/api/meta.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { NOW_MS, pod, snapshot } from '../scheduling/fixtures.ts';
import { pool } from './fixtures.ts';

type Resources = { readonly [resource: string]: string };

const CAPACITY = 'karpenter.sh/capacity-type';

function requiring(...terms: readonly (readonly string[])[]): Partial<PodSpec> {
  const nodeSelectorTerms = terms.map((values) => ({
    matchExpressions: [{ key: CAPACITY, operator: 'NotIn' as const, values }],
  }));
  const requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms };
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution } } };
}

const onSpot = { nodeSelector: { [CAPACITY]: 'spot' } };

it.each<[string, Partial<PodSpec>, string]>([
  [
    'contradicts itself',
    { ...onSpot, ...requiring(['spot']) },
    `what the pod requires of ${CAPACITY} contradicts itself.`,
  ],
  [
    'has one way out, which the pool does not offer',
    { ...onSpot, ...requiring(['spot'], ['on-demand']) },
    `nodepool general: ${CAPACITY} In [spot] is incompatible with ${CAPACITY} In [on-demand].`,
  ],
  [
    'wants what the pool does not offer',
    onSpot,
    `nodepool general: ${CAPACITY} In [spot] is incompatible with ${CAPACITY} In [on-demand].`,
  ],
])('a pod that %s', (_, spec, expected) => {
  const pods = [pod('p', { requests: { cpu: '1' }, spec })];
  const requirements = [{ key: CAPACITY, operator: 'In' as const, values: ['on-demand'] }];
  const given = snapshot({ pods, pools: [pool({ template: { requirements } })] });
  const { unschedulable } = schedule(given, NOW_MS, { types: MACHINE_TYPES });
  expect(unschedulable.map(({ message }) => message)).toEqual([
    `no nodes available to schedule pods. ${expected}`,
  ]);
});

it.each<[string, Resources, Labels, string]>([
  ['more than there is', { cpu: '1000' }, {}, 'has as much cpu as the pod asks for'],
  ['what nobody has', { 'acme.io/fpga': '1' }, {}, 'offers acme.io/fpga'],
  [
    'a part of a GPU where none is shared',
    { [GPU_MILLI]: '500' },
    {},
    `offers ${GPU_MILLI}: its template has no label ${GPU_SHARING_LABEL}`,
  ],
  [
    'slices where no GPU is split',
    { [migResource('1g.10gb')]: '1' },
    { [GPU_SHARING_LABEL]: 'assigned' },
    'offers nvidia.com/mig-1g.10gb',
  ],
])('a pod that asks for %s', (_, requests, labels, expected) => {
  const pods = [pod('p', { requests: { memory: '1Gi', ...requests } })];
  const spec = { requirements: [], expireAfter: 'Never' };
  const pools = [pool({ spec: { template: { metadata: { labels }, spec } } })];
  const given = snapshot({ pods, pools });
  const { unschedulable } = schedule(given, NOW_MS, { types: MACHINE_TYPES });
  const why = `nodepool general: no type that it may launch now ${expected}.`;
  expect(unschedulable.map(({ message }) => message)).toEqual([
    `no nodes available to schedule pods. ${why}`,
  ]);
});
