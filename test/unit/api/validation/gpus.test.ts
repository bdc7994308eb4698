import { describe, expect, it } from 'vitest';
import { container, faults, type Json, META, pod } from './faults.ts';

const AT = 'spec.containers[0].resources.limits';
const asking = (limits: Json) => container({ resources: { limits } });
const one = (limits: Json, metadata: Json = META) =>
  pod({ containers: [asking(limits)] }, metadata);
const ISOLATED = { ...META, annotations: { 'nullplane.io/gpu-isolation': 'mps' } };
const MPS_AT = 'metadata.annotations[nullplane.io/gpu-isolation]';
const PART = { 'nullplane.io/gpu-milli': 250, 'nullplane.io/gpu-memory-mib': 4000 };

describe('GPUs of a pod', () => {
  it.each<[string, Json]>([
    ['a part', one({ 'nullplane.io/gpu-milli': 250 })],
    ['a part and memory', one(PART)],
    ['all of one', one({ 'nullplane.io/gpu-milli': '1k' })],
    ['slices', one({ 'nvidia.com/mig-1g.10gb': 2 })],
    ['none, in words', one({ 'nullplane.io/gpu-milli': 0, 'nvidia.com/gpu': 1 })],
    ['a part apart from others', one(PART, ISOLATED)],
    [
      'other kinds in other containers',
      pod({ containers: [asking({ 'nvidia.com/gpu': 1 }), { ...asking(PART), name: 'b' }] }),
    ],
  ])('may be %s', (_, given) => {
    expect(faults('pods', given)).toEqual([]);
  });

  it.each<[string, Json, string]>([
    [
      'more than one device in parts',
      one({ 'nullplane.io/gpu-milli': 1001 }),
      `${AT}[nullplane.io/gpu-milli]: Invalid value: "1001": must be at most 1000, which is one ` +
        'device: whole devices are asked for as nvidia.com/gpu',
    ],
    [
      'parts and whole ones in one container',
      one({ 'nullplane.io/gpu-milli': 100, 'nvidia.com/gpu': 1 }),
      `${AT}: Forbidden: a container asks for one kind of GPUs, not for ` +
        'nullplane.io/gpu-milli and nvidia.com/gpu',
    ],
    [
      'memory of no device',
      one({ 'nullplane.io/gpu-memory-mib': 1 }),
      `${AT}[nullplane.io/gpu-memory-mib]: Forbidden: goes with nullplane.io/gpu-milli, of the ` +
        'same device',
    ],
    [
      'parts in init containers',
      pod({ initContainers: [{ ...asking({ 'nullplane.io/gpu-milli': 1 }), name: 'i' }] }),
      'spec.initContainers[0].resources.limits[nullplane.io/gpu-milli]: Forbidden: init ' +
        'containers see whole GPUs only',
    ],
    [
      'isolation that is not known',
      one(PART, { ...META, annotations: { 'nullplane.io/gpu-isolation': 'vm' } }),
      `${MPS_AT}: Unsupported value: "vm": supported values: "mps"`,
    ],
    [
      'isolation of a part without memory',
      one({ 'nullplane.io/gpu-milli': 100 }, ISOLATED),
      `${MPS_AT}: Invalid value: "mps": one container of the pod must ask for ` +
        'nullplane.io/gpu-milli and nullplane.io/gpu-memory-mib',
    ],
    [
      'isolation of whole ones',
      one({ 'nvidia.com/gpu': 1 }, ISOLATED),
      `${MPS_AT}: Invalid value: "mps": one container`,
    ],
  ])('may not be %s', (_, given, fault) => {
    const found = faults('pods', given);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(fault);
  });

  it('are checked in templates as well', () => {
    const labels = { app: 'a' };
    const spec = { containers: [asking({ 'nullplane.io/gpu-milli': 2000 })] };
    const template = { metadata: { labels }, spec };
    const given = { metadata: META, spec: { selector: { matchLabels: labels }, template } };
    expect(faults('deployments.apps', given)).toEqual([
      expect.stringContaining(`spec.template.${AT}[nullplane.io/gpu-milli]`),
    ]);
  });
});

describe('labels about GPUs', () => {
  it.each([
    ['nullplane.io/gpu-sharing', []],
    ['nullplane.io/mig-0', []],
    ['nullplane.io/compute', ['label domain "nullplane.io" is restricted']],
  ])('%s on machines of a pool', (label, expected) => {
    const expressions = [{ key: label, operator: 'In', values: ['assigned'] }];
    const template = { spec: { requirements: expressions } };
    const found = faults('nodepools.karpenter.sh', { metadata: { name: 'x' }, spec: { template } });
    expect(found.map((text) => /label domain.*$/.exec(text)?.[0])).toEqual(expected);
  });
});
