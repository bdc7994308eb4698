import { describe, expect, it } from 'vitest';
import type { Action } from '../../../shared/core/plan.ts';
import type { NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import {
  type ClusterSnapshot,
  schedule,
  type SchedulingResult,
} from '../../../shared/core/scheduling/schedule.ts';
import { container, ledger, node, NOW_MS, pod, snapshot } from './fixtures.ts';
import {
  GPU_MIB,
  gpuNode,
  gpuPod,
  holding,
  ISOLATED,
  share,
  slices,
  whole,
} from './gpu-fixtures.ts';

const pass = (given: Partial<ClusterSnapshot>) => schedule(snapshot(given), NOW_MS);

function actions({ plans }: SchedulingResult): readonly Action[] {
  return plans.flatMap(({ stages }) => stages.flat());
}

/** `pod@node:devices` of each pod that is bound, by what is written on it. */
function bound(result: SchedulingResult): readonly string[] {
  return actions(result)
    .flatMap((action) => (action.kind === 'update' && action.resource === 'pods' ? action : []))
    .map(({ object }) => object as unknown as Pod)
    .filter(({ spec }) => spec.nodeName)
    .map(({ metadata, spec, control }) => {
      const devices = Object.entries(control?.gpuDevices ?? {}).map(([, ids]) => ids);
      return `${metadata.name}@${spec.nodeName}:${control?.gpuDevices ? devices.join(';') : '-'}`;
    })
    .sort();
}

const messages = (result: SchedulingResult) =>
  result.unschedulable.map(({ message }) => message.replace(/ preemption: .*$/, ''));

describe('parts of a GPU', () => {
  it('fill a device before they open another', () => {
    const pods = ['a', 'b', 'c', 'd', 'e'].map((name) => gpuPod(name, share(250)));
    const result = pass({ nodes: [gpuNode('n', 2)], pods });
    expect(bound(result)).toEqual(['a@n:0', 'b@n:0', 'c@n:0', 'd@n:0', 'e@n:1']);
  });

  it.each([
    ['thousandths', share(600), '0/1 nodes are available: 1 Insufficient nullplane.io/gpu-milli.'],
    [
      'memory',
      share(100, GPU_MIB / 2 + 1),
      '0/1 nodes are available: 1 Insufficient nullplane.io/gpu-memory-mib.',
    ],
  ])('are of one device: %s that are left on two do not add up', (_what, asked, message) => {
    const pods = ['a', 'b', 'c'].map((name) => gpuPod(name, asked));
    const result = pass({ nodes: [gpuNode('n', 2)], pods });
    expect(bound(result)).toEqual(['a@n:0', 'b@n:1']);
    expect(messages(result)).toEqual([message]);
  });

  it('leave the device to nobody who wants it whole, and are not let on one that is', () => {
    const pods = [gpuPod('a', share(10)), gpuPod('b', whole(1)), gpuPod('c', whole(1))];
    const nodes = [gpuNode('n', 2)];
    const result = pass({ nodes, pods });
    expect(bound(result)).toEqual(['a@n:0', 'b@n:1']);
    expect(messages(result)).toEqual(['0/1 nodes are available: 1 Insufficient nvidia.com/gpu.']);
    const taken = [holding('n', '0,1', gpuPod('w', whole(2))), gpuPod('a', share(10))];
    expect(messages(pass({ nodes, pods: taken }))).toEqual([
      '0/1 nodes are available: 1 Insufficient nullplane.io/gpu-milli.',
    ]);
  });

  it('are what pods hold that run, whatever they asked for first', () => {
    const pods = [
      holding('n', '1', gpuPod('old', share(700))),
      gpuPod('a', share(400)),
      gpuPod('b', share(300)),
    ];
    expect(bound(pass({ nodes: [gpuNode('n', 2)], pods }))).toEqual(['a@n:0', 'b@n:1']);
  });

  it('are not to be had where GPUs are handed out whole only', () => {
    const nodes = [gpuNode('n', 2, {})];
    expect(messages(pass({ nodes, pods: [gpuPod('a', share(10))] }))).toEqual([
      '0/1 nodes are available: 1 Insufficient nullplane.io/gpu-milli.',
    ]);
    expect(bound(pass({ nodes, pods: [gpuPod('a', whole(1))] }))).toEqual(['a@n:-']);
  });

  it('that are kept apart by MPS go where there is MPS, and no others', () => {
    const nodes = [gpuNode('a', 1), gpuNode('m', 1, { 'nullplane.io/gpu-sharing': 'mps' })];
    const isolated = gpuPod('p', share(300, 4000), ISOLATED);
    expect(bound(pass({ nodes, pods: [isolated] }))).toEqual(['p@m:-']);
    expect(messages(pass({ nodes: nodes.slice(0, 1), pods: [isolated] }))).toEqual([
      "0/1 nodes are available: 1 node(s) didn't keep parts of GPUs apart by MPS.",
    ]);
    expect(messages(pass({ nodes: nodes.slice(1), pods: [gpuPod('p', share(300))] }))).toEqual([
      '0/1 nodes are available: 1 node(s) hand out parts of GPUs by MPS only.',
    ]);
  });
});

describe('the ledger', () => {
  it('has the devices before the pod is bound', () => {
    const result = pass({ nodes: [gpuNode('n', 1)], pods: [gpuPod('a', share(250))] });
    const [first, ...rest] = actions(result);
    expect(first?.kind === 'create' && first.resource).toBe('nodeallocations.nullplane.io');
    const written = (first as { object: unknown }).object as NodeAllocation;
    expect(written.allocations).toMatchObject([{ podName: 'a', devices: { main: '0' } }]);
    const told = rest.find(({ kind }) => kind === 'update') as { object: unknown };
    expect((told.object as Pod).metadata.annotations).toEqual({
      'nullplane.io/gpu-devices': 'main=0',
    });
  });

  it('holds the device for a pod whose binding was cut off, and the pod gets that one', () => {
    const cut = gpuPod('cut', share(800));
    const entered = ledger('n', cut);
    const [entry] = entered.allocations;
    const written = {
      ...entered,
      allocations: [{ ...entry, devices: { main: '1' } }] as NodeAllocation['allocations'],
    };
    const pods = [gpuPod('a', share(900)), cut];
    const result = pass({ nodes: [gpuNode('n', 2)], ledgers: [written], pods });
    expect(bound(result)).toEqual(['a@n:0', 'cut@n:1']);
  });

  it('gives devices back with the pod', () => {
    const done = holding('n', '0', gpuPod('old', whole(1)));
    const over = { ...done, status: { ...done.status, phase: 'Succeeded' as const } };
    const pods = [over, gpuPod('a', whole(1))];
    expect(bound(pass({ nodes: [gpuNode('n', 1)], pods }))).toEqual(['a@n:0']);
  });
});

describe('whole GPUs', () => {
  const LINKS = { 'nullplane.io/gpu-sharing': 'assigned', 'nullplane.io/gpu-links': '0-1_2-3' };

  it('come from devices that are joined', () => {
    const pods = [
      holding('n', '0', gpuPod('old', share(100))),
      gpuPod('a', { ...whole(2), cpu: '1' }),
    ];
    expect(bound(pass({ nodes: [gpuNode('n', 4, LINKS)], pods }))).toEqual(['a@n:2,3']);
  });

  it('leave pairs together where one will do', () => {
    const pods = [holding('n', '2', gpuPod('old', share(100))), gpuPod('a', whole(1))];
    expect(bound(pass({ nodes: [gpuNode('n', 4, LINKS)], pods }))).toEqual(['a@n:3']);
  });

  it('come from a node where they are joined, rather than from one where they are not', () => {
    const apart = { ...LINKS, 'nullplane.io/gpu-links': '0_1_2_3' };
    const nodes = [gpuNode('a', 4, apart), gpuNode('b', 4, LINKS)];
    expect(bound(pass({ nodes, pods: [gpuPod('p', whole(2))] }))).toEqual(['p@b:0,1']);
  });

  it('of one pod are on one host', () => {
    const nodes = [gpuNode('a', 2), gpuNode('b', 2)];
    expect(messages(pass({ nodes, pods: [gpuPod('p', whole(3))] }))).toEqual([
      '0/2 nodes are available: 2 Insufficient nvidia.com/gpu.',
    ]);
  });

  it('are of the model that the pod selects, by selector or affinity', () => {
    const model = (name: string) => ({
      'nullplane.io/gpu-sharing': 'assigned',
      'karpenter.k8s.aws/instance-gpu-name': name,
    });
    const nodes = [gpuNode('a', 1, model('t4')), gpuNode('b', 1, model('a10g'))];
    const nodeSelector = { 'karpenter.k8s.aws/instance-gpu-name': 'a10g' };
    const expression = {
      key: 'karpenter.k8s.aws/instance-gpu-name',
      operator: 'In' as const,
      values: ['a10g', 'l4'],
    };
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [expression] }],
        },
      },
    };
    for (const wish of [{ nodeSelector }, { affinity }]) {
      const spec = { ...gpuPod('p', whole(1)).spec, ...wish };
      expect(bound(pass({ nodes, pods: [pod('p', { spec })] }))).toEqual(['p@b:0']);
    }
  });

  it('go to the node whose room loses least: what is broken is used up first', () => {
    const pods = [
      holding('b', '0', gpuPod('old', share(500))),
      gpuPod('eight', whole(8)),
      gpuPod('part', share(500)),
    ];
    const result = pass({ nodes: [gpuNode('a', 8), gpuNode('b', 8)], pods });
    expect(bound(result)).toEqual(['eight@a:0,1,2,3,4,5,6,7', 'part@b:0']);
  });
});

describe('MIG slices', () => {
  const SPLIT = {
    'nullplane.io/gpu-sharing': 'assigned',
    'nullplane.io/mig-1': '3g.20gb_1g.5gb_1g.5gb',
  };

  it('are counted by profile, and the device that is split is not to be had whole', () => {
    const nodes = [gpuNode('n', 2, SPLIT)];
    const pods = [
      gpuPod('a', slices('1g.5gb')),
      gpuPod('b', slices('1g.5gb')),
      gpuPod('c', slices('1g.5gb')),
      gpuPod('d', slices('3g.20gb')),
      gpuPod('e', whole(1)),
      gpuPod('f', share(100)),
    ];
    const result = pass({ nodes, pods });
    expect(bound(result)).toEqual(['a@n:1:1', 'b@n:1:2', 'd@n:1:0', 'e@n:0']);
    expect(messages(result).sort()).toEqual([
      '0/1 nodes are available: 1 Insufficient nullplane.io/gpu-milli.',
      '0/1 nodes are available: 1 Insufficient nvidia.com/mig-1g.5gb.',
    ]);
  });

  it('of one container may be several', () => {
    const pods = [gpuPod('a', slices('1g.5gb', 2))];
    expect(bound(pass({ nodes: [gpuNode('n', 2, SPLIT)], pods }))).toEqual(['a@n:1:1,1:2']);
  });
});

describe('devices and the rest of a pass', () => {
  it('each container of a pod has its own', () => {
    const containers = [
      { ...container(share(400)), name: 'one' },
      { ...container(whole(1)), name: 'two' },
      { ...container(share(700)), name: 'three' },
    ];
    const result = pass({ nodes: [gpuNode('n', 3)], pods: [pod('p', { spec: { containers } })] });
    expect(bound(result)).toEqual(['p@n:0;1;2']);
    const tight = pass({ nodes: [gpuNode('n', 2)], pods: [pod('p', { spec: { containers } })] });
    expect(messages(tight)).toHaveLength(1);
  });

  it('who asks for none sees none, and prefers another machine', () => {
    expect(bound(pass({ nodes: [gpuNode('n', 1)], pods: [pod('p')] }))).toEqual(['p@n:']);
    const nodes = [gpuNode('a', 1), node('b')];
    expect(bound(pass({ nodes, pods: [pod('p')] }))).toEqual(['p@b:-']);
  });

  it('who names its node gets devices of that one', () => {
    const nodes = [gpuNode('a', 1), gpuNode('b', 1)];
    const made = gpuPod('p', share(100));
    const pods = [{ ...made, spec: { ...made.spec, nodeName: 'b' } }, gpuPod('q', share(100))];
    expect(bound(pass({ nodes, pods }))).toContain('p@b:0');
    expect(messages(pass({ nodes, pods }))).toEqual([]);
  });

  it('no GPU is given where others were handed out another way', () => {
    const { control: _, ...pinned } = holding('n', '0', gpuPod('old', whole(1)));
    const result = pass({ nodes: [gpuNode('n', 2)], pods: [pinned, gpuPod('a', whole(1))] });
    expect(messages(result)).toEqual([
      '0/1 nodes are available: 1 node(s) had GPUs that were handed out another way.',
    ]);
  });

  it('who is preempted is who holds what is needed', () => {
    const low = { priority: -1 };
    const old = (name: string, devices: string) => {
      const held = holding('n', devices, gpuPod(name, share(500)));
      return { ...held, spec: { ...held.spec, ...low } };
    };
    // All alike: those that may stay are put back first, and only the last is in the way.
    const pods = [old('a', '0'), old('b', '0'), old('c', '1'), gpuPod('p', whole(1))];
    const { preemptions } = pass({ nodes: [gpuNode('n', 2)], pods });
    expect(preemptions.map(({ victims }) => victims.map((v) => v.metadata.name))).toEqual([['c']]);
  });

  it('a device that holds more than it has, by whatever accident, takes nobody', () => {
    const pods = [
      holding('n', '0', gpuPod('a', share(700))),
      holding('n', '0', gpuPod('b', share(700))),
      gpuPod('c', share(100)),
    ];
    expect(bound(pass({ nodes: [gpuNode('n', 2)], pods }))).toEqual(['c@n:1']);
  });
});
