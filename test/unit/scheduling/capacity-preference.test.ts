/** The order in which a pod wants kinds of capacity: how it is written, and what it decides. */
import { describe, expect, it } from 'vitest';
import { parseCapacityPreference } from '../../../shared/api/capacity-preference.ts';
import { Faults } from '../../../shared/api/validation/faults.ts';
import { checkPlacement } from '../../../shared/api/validation/placement.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { node, NOW_MS, pod, snapshot } from './fixtures.ts';

const TYPE = 'karpenter.sh/capacity-type';
const virtual = { 'nullplane.io/compute': 'fargate' };
const all = [
  node('machine', { labels: { [TYPE]: 'on-demand' } }),
  node('spot', { labels: { [TYPE]: 'spot' } }),
  node('fargate', { labels: { ...virtual, [TYPE]: 'on-demand' } }),
  node('fargate-spot', {
    labels: { ...virtual, [TYPE]: 'spot' },
    spec: { taints: [{ key: TYPE, value: 'spot', effect: 'PreferNoSchedule' }] },
  }),
];

const wants = (text: string) =>
  pod('p', { meta: { annotations: { 'nullplane.io/capacity-preference': text } } });

describe('an order of kinds', () => {
  it.each<[string, readonly string[] | string]>([
    ['spot', ['spot']],
    [' fargate-spot,on-demand , fargate', ['fargate-spot', 'on-demand', 'fargate']],
    ['', '"" is none of spot, on-demand, fargate-spot, fargate'],
    ['spot,cheap', '"cheap" is none of spot, on-demand, fargate-spot, fargate'],
    ['spot,fargate,spot', 'names spot twice'],
  ])('%j', (text, expected) => {
    expect(parseCapacityPreference(text)).toEqual(expected);
  });

  it('that can’t be read is refused when it is written', () => {
    const faults = new Faults();
    checkPlacement(wants('spot,cheap').metadata, 'metadata', faults);
    expect(faults.causes).toMatchObject([
      { field: 'metadata.annotations[nullplane.io/capacity-preference]' },
    ]);
  });
});

describe('a pod', () => {
  it.each<[string, readonly string[], string]>([
    ['fargate', ['machine', 'spot', 'fargate', 'fargate-spot'], 'fargate'],
    ['fargate-spot,on-demand', ['machine', 'spot', 'fargate', 'fargate-spot'], 'fargate-spot'],
    ['spot,fargate-spot,on-demand', ['machine', 'fargate', 'fargate-spot'], 'fargate-spot'],
    ['spot,fargate-spot,on-demand', ['machine', 'fargate'], 'machine'],
    ['spot', ['fargate'], 'fargate'],
  ])('that wants %s, of %j, takes %s', (text, names, expected) => {
    const nodes = all.filter(({ metadata }) => names.includes(metadata.name));
    const { placements } = schedule(snapshot({ nodes, pods: [wants(text)] }), NOW_MS);
    expect(placements.map((placement) => placement.node)).toEqual([expected]);
  });
});

describe('what a pod says of its gang', () => {
  const NAME = 'pod-group.scheduling.sigs.k8s.io/name';
  const SIZE = 'pod-group.scheduling.sigs.k8s.io/min-available';
  const GROUP = 'scheduling.x-k8s.io/pod-group';
  it.each([
    ['nothing', {}, 0],
    ['a group', { labels: { [GROUP]: 'g' } }, 0],
    ['a gang of its own', { annotations: { [NAME]: 'g', [SIZE]: '3' } }, 0],
    ['both, of one name', { labels: { [GROUP]: 'g' }, annotations: { [NAME]: 'g' } }, 0],
    ['two gangs', { labels: { [GROUP]: 'g' }, annotations: { [NAME]: 'h' } }, 1],
    ['no number', { annotations: { [NAME]: 'g', [SIZE]: 'three' } }, 1],
    ['less than one', { labels: { [NAME]: 'g', [SIZE]: '0' } }, 1],
    ['two sizes', { labels: { [SIZE]: '3' }, annotations: { [SIZE]: '4' } }, 1],
  ])('%s', (_what, metadata, count) => {
    const faults = new Faults();
    checkPlacement(metadata, 'metadata', faults);
    expect(faults.causes).toHaveLength(count);
  });
});
