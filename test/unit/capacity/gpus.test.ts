/** Machines with GPUs for pods that ask for parts of them, of the types that EC2 has. */
import { describe, expect, it } from 'vitest';
import type { NodeClaim, NodePool } from '../../../shared/api/kinds/karpenter.ts';
import { machineTypes } from '../../../shared/core/capacity/catalogue/machine-types.ts';
import { observeLaunch } from '../../../shared/core/capacity/claim/observe.ts';
import { claimControl } from '../../../shared/core/capacity/claim/state.ts';
import { gpuNeeds } from '../../../shared/core/capacity/gpu-needs.ts';
import { gpuAskOf } from '../../../shared/core/pod/gpus.ts';
import { withGpuOffer } from '../../../shared/core/node/gpus.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { NOW_MS, snapshot } from '../scheduling/fixtures.ts';
import { type Asked, gpuPod, ISOLATED, share, slices, whole } from '../scheduling/gpu-fixtures.ts';
import { pool } from './fixtures.ts';

const TYPES = machineTypes({ region: 'us-east-1', zones: ['us-east-1a'] });

function gpuPool(labels: { readonly [label: string]: string }, families = ['g5']): NodePool {
  const requirements = [
    { key: 'karpenter.k8s.aws/instance-family', operator: 'In' as const, values: families },
  ];
  const made = pool({ name: 'gpus', template: { requirements } });
  const template = { ...made.spec.template, metadata: { labels } };
  return { ...made, spec: { ...made.spec, template } };
}

const SHARED = gpuPool({ 'nullplane.io/gpu-sharing': 'assigned' });
const named = (asked: readonly Asked[], given = {}) =>
  asked.map((one, i) => gpuPod(`p${i}`, one, given));

function machinesFor(from: NodePool, asked: readonly Asked[], given = {}) {
  const pods = named(asked, given);
  const result = schedule(snapshot({ pods, pools: [from] }), NOW_MS, { types: TYPES });
  const machines = result.machines.map(({ machine, pods: on }) => {
    const { types } = machine.kind;
    return { type: types.types[machine.cheapest]?.name, pods: on.length };
  });
  return { machines, left: result.unschedulable, result };
}

describe('machines for parts of GPUs', () => {
  it('are opened, and filled device by device', () => {
    const { machines, left } = machinesFor(SHARED, Array<Asked>(3).fill(share(300)));
    expect(machines).toEqual([{ type: 'g5.xlarge', pods: 3 }]);
    expect(left).toEqual([]);
  });

  it.each<[string, readonly Asked[], number]>([
    ['parts that do not go on one device together', [share(600), share(600), share(600)], 3],
    ['parts beside a whole one', [whole(1), share(500)], 2],
    ['memory that one device has once', [share(100, 15_000), share(100, 15_000)], 2],
  ])('have as many devices as it takes: %s', (_, asked, devices) => {
    const { machines, left } = machinesFor(SHARED, asked);
    expect(left).toEqual([]);
    const count = machines.reduce((sum, { type }) => {
      const found = TYPES.find(({ name }) => name === type);
      return sum + (found?.room['nvidia.com/gpu'] ?? 0);
    }, 0);
    expect(count).toBeGreaterThanOrEqual(devices);
  });

  it('are not to be had of a pool whose machines do not share', () => {
    const { machines, left } = machinesFor(gpuPool({}), [share(250)]);
    expect(machines).toEqual([]);
    expect(left[0]?.message).toContain('nodepool gpus: no type that it may launch now offers');
    expect(machinesFor(gpuPool({}), [whole(1)]).machines).toHaveLength(1);
  });

  it('keep them apart by MPS where that is asked for', () => {
    const mps = gpuPool({ 'nullplane.io/gpu-sharing': 'mps' });
    const asked = [share(250, 4000)];
    expect(machinesFor(mps, asked, ISOLATED).machines).toHaveLength(1);
    expect(machinesFor(mps, asked).machines).toEqual([]);
    expect(machinesFor(SHARED, asked, ISOLATED).machines).toEqual([]);
  });

  it('have slices where the pool says how they are split', () => {
    const labels = {
      'nullplane.io/gpu-sharing': 'assigned',
      'nullplane.io/mig-0': '3g.20gb_1g.5gb_1g.5gb',
    };
    const split = gpuPool(labels, ['p4d']);
    const { machines } = machinesFor(split, [slices('1g.5gb', 2), slices('3g.20gb'), whole(7)]);
    expect(machines).toEqual([{ type: 'p4d.24xlarge', pods: 3 }]);
    expect(machinesFor(split, [whole(8)]).machines).toEqual([]);
  });

  it('are waited for: the claim counts what its type will offer', () => {
    const { result } = machinesFor(SHARED, Array<Asked>(3).fill(share(400)));
    const claims = result.plans
      .flatMap(({ stages }) => stages.flat())
      .flatMap((action) => (action.kind === 'create' ? [action.object] : []))
      .map((object) => object as unknown as NodeClaim);
    expect(claims).not.toEqual([]);
    const launched = claims.map((claim, i) => {
      const control = claimControl(claim);
      const type = TYPES.find(({ name }) => name === control?.types[0]);
      const machine = {
        ...{ id: `i-${i}`, type: type?.name ?? '', zone: 'us-east-1a' },
        capacityType: 'on-demand' as const,
      };
      return observeLaunch(claim, machine, type, NOW_MS) ?? claim;
    });
    const pods = named(Array<Asked>(3).fill(share(400)));
    const given = snapshot({ pods, pools: [SHARED], claims: launched });
    const again = schedule(given, NOW_MS, { types: TYPES });
    expect(again.machines).toEqual([]);
    expect(again.unschedulable).toEqual([]);
  });
});

describe('devices that pods need', () => {
  it.each<[string, readonly Asked[], object]>([
    ['none', [], { devices: 0, memoryMiB: 0 }],
    ['whole ones', [whole(2), whole(1)], { devices: 3, memoryMiB: 0 }],
    ['parts together', [share(500, 10), share(300, 20)], { devices: 1, memoryMiB: 30 }],
    ['parts apart', [share(501, 10), share(500, 20)], { devices: 2, memoryMiB: 20 }],
    ['slices are no devices', [slices('1g.5gb', 7)], { devices: 0, memoryMiB: 0 }],
  ])('%s', (_, asked, expected) => {
    const asks = named(asked).flatMap((pod) => gpuAskOf(pod) ?? []);
    expect(gpuNeeds(asks.map((ask) => ({ ask, pods: 1 })))).toEqual(expected);
  });
});

describe('what GPUs offer', () => {
  const labels = {
    'nullplane.io/gpu-sharing': 'assigned',
    'nullplane.io/mig-1': '1g.5gb_1g.5gb',
    'nullplane.io/mig-9': '1g.5gb',
    'karpenter.k8s.aws/instance-gpu-memory': '40960',
  };

  it('follows from what there is and from labels, and is the same when it is asked again', () => {
    const offered = withGpuOffer({ cpu: 1, 'nvidia.com/gpu': 3 }, labels);
    expect(offered).toEqual({
      ...{ cpu: 1, 'nvidia.com/gpu': 2, 'nullplane.io/gpu-milli': 2000 },
      ...{ 'nullplane.io/gpu-memory-mib': 81_920, 'nvidia.com/mig-1g.5gb': 2 },
    });
    expect(withGpuOffer(offered, labels)).toEqual(offered);
  });

  it('is whole ones without a word of sharing', () => {
    const room = { cpu: 1, 'nvidia.com/gpu': 3 };
    expect(withGpuOffer(room, { 'nullplane.io/mig-0': '1g.5gb' })).toEqual(room);
  });
});
