import { describe, expect, it } from 'vitest';
import { localNodes } from '../../local/nodes.ts';
import { parseNodeGroups } from '../../shared/core/capacity/catalogue/node-groups.ts';

describe('simulated nodes', () => {
  it('are of any type of the catalogue', () => {
    const groups = parseNodeGroups('2xg5.12xlarge, m8g.large,1xinf2.xlarge');
    expect(groups.map(({ count, type }) => [count, type.name])).toEqual([
      [2, 'g5.12xlarge'],
      [1, 'm8g.large'],
      [1, 'inf2.xlarge'],
    ]);
  });

  it.each([
    ['m7i', /"m7i" is not of the form 10xm7i.xlarge/],
    ['m7i.huge', /"m7i.huge" is no type of EC2's. There are .*m7i.xlarge/],
    ['q9.large', /There are, for example, m7i.xlarge/],
    ['g5.xlarge/rack=7', /"rack=7" is neither of a cell nor of GPUs/],
    ['g5.xlarge/mig-0', /"mig-0": has no value/],
    ['m7i.large/cell=a b', /"cell=a b": a valid label must be/],
    ['m7i.large/mig-0=1g.5gb', /m7i.large has no such GPUs/],
    ['20000xm7i.large', /20000 nodes are more than 10000/],
  ])('are not made of %s, in words that help', (text, words) => {
    expect(() => parseNodeGroups(text)).toThrow(words);
  });

  it('offer what such machines do, but for what tasks here do not need', () => {
    const nodes = localNodes(parseNodeGroups('g5.12xlarge,g4ad.xlarge'), 0);
    const [nvidia, amd] = nodes.filter(({ metadata }) => !metadata.name.startsWith('fargate'));
    expect(nvidia?.status.allocatable).toMatchObject({
      ...{ cpu: '48000m', pods: '110', 'ephemeral-storage': '100Gi', 'nvidia.com/gpu': '4' },
      ...{ 'nullplane.io/gpu-milli': '4000', 'nullplane.io/gpu-memory-mib': '91552' },
    });
    expect(nvidia?.metadata.labels).toMatchObject({
      'karpenter.k8s.aws/instance-gpu-name': 'a10g',
      'karpenter.k8s.aws/instance-gpu-manufacturer': 'nvidia',
      'nullplane.io/simulated': 'true',
    });
    expect(amd?.status.allocatable?.['nvidia.com/gpu']).toBeUndefined();
  });

  it('have GPUs that are split, and that somebody else hands out, where that is said', () => {
    const groups = parseNodeGroups(
      'p4d.24xlarge/mig-0=3g.20gb_3g.20gb/mig-7=1g.5gb,g5.xlarge/gpu-sharing=mps,m7i.large',
    );
    const [split, mps, plain] = localNodes(groups, 0).slice(-3);
    expect(split?.status.allocatable).toMatchObject({
      'nvidia.com/gpu': '6',
      'nullplane.io/gpu-milli': '6000',
      'nvidia.com/mig-3g.20gb': '2',
      'nvidia.com/mig-1g.5gb': '1',
    });
    expect(mps?.metadata.labels?.['nullplane.io/gpu-sharing']).toBe('mps');
    expect(plain?.metadata.labels?.['nullplane.io/gpu-sharing']).toBeUndefined();
  });
});
