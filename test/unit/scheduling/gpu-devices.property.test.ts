/**
 * Pods with GPUs come and go over many passes, some of which are cut off or race: no device ever
 * holds more than it has, counted here from what is written on pods and nothing else.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node, NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { checkDevices } from '../../../shared/core/invariants.ts';
import type { Action, Plan } from '../../../shared/core/plan.ts';
import { podRequests, type Requests } from '../../../shared/core/pod/requests.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { container, NOW_MS, pod, snapshot } from './fixtures.ts';
import {
  type Asked,
  GPU_MIB,
  gpuNode,
  gpuPod,
  ISOLATED,
  share,
  slices,
  whole,
} from './gpu-fixtures.ts';

const SHARED = { 'nullplane.io/gpu-sharing': 'assigned' };
const SPLIT = { ...SHARED, 'nullplane.io/mig-0': '3g.20gb_1g.5gb_1g.5gb' };
const LINKED = { ...SHARED, 'nullplane.io/gpu-links': '0-2_1-3' };
const MPS = { 'nullplane.io/gpu-sharing': 'mps' };

const NODES: readonly Node[] = [
  gpuNode('a', 2, SHARED),
  gpuNode('b', 3, SPLIT),
  gpuNode('c', 4, LINKED),
  gpuNode('m', 2, MPS),
  gpuNode('w', 2, {}),
];

/** Those whose GPUs we hand out. */
const OURS = NODES.slice(0, 3);

const asked: fc.Arbitrary<Asked> = fc.oneof(
  fc.constantFrom(1, 1, 2, 3, 4).map(whole),
  fc
    .record({ milli: fc.constantFrom(1, 100, 250, 333, 500, 700, 1000), mib: fc.nat(GPU_MIB) })
    .map(({ milli, mib }) => share(milli, mib)),
  fc
    .record({ profile: fc.constantFrom('1g.5gb', '3g.20gb'), count: fc.constantFrom(1, 2) })
    .map(({ profile, count }) => slices(profile, count)),
  fc.constant({}),
);

type Event =
  | { readonly type: 'add'; readonly asked: readonly Asked[]; readonly isIsolated: boolean }
  | { readonly type: 'end' | 'delete'; readonly which: number }
  | { readonly type: 'pass'; readonly writes: number; readonly twice: boolean };

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('add' as const),
      asked: fc.array(asked, { minLength: 1, maxLength: 3 }),
      isIsolated: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('end' as const, 'delete' as const),
      which: fc.nat(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('pass' as const),
      // Now and then the process dies after so many writes.
      writes: fc.oneof(fc.constant(Infinity), fc.nat(12)),
      twice: fc.boolean(),
    }),
  },
);

/** What is stored, and what conditional writes make of plans. */
class Store {
  readonly pods = new Map<string, Pod>();
  readonly ledgers = new Map<string, NodeAllocation>();
  readonly #nodes: readonly Node[];
  #version = 1;
  #names = 0;

  constructor(nodes: readonly Node[] = NODES) {
    this.#nodes = nodes;
  }

  add(parts: readonly Asked[], isIsolated: boolean): void {
    const name = `p${this.#names++}`;
    const [first = {}] = parts;
    const containers = parts.map((one, i) => ({ ...container(one), name: `c${i}` }));
    const isPart = 'nullplane.io/gpu-memory-mib' in first;
    const made =
      isIsolated && isPart ? gpuPod(name, first, ISOLATED) : pod(name, { spec: { containers } });
    this.pods.set(name, made);
  }

  snapshot() {
    const [pods, ledgers] = [[...this.pods.values()], [...this.ledgers.values()]];
    return snapshot({ nodes: this.#nodes, pods, ledgers });
  }

  /** Carries plans out, each until a write of it fails. Returns how many writes are left. */
  carryOut(plans: readonly Plan[], writes: number): void {
    let left = writes;
    for (const { stages } of plans) {
      for (const action of stages.flat()) {
        if (action.kind === 'event') continue;
        if (left-- <= 0) return;
        if (!this.#write(action)) break;
      }
    }
  }

  #write(action: Action): boolean {
    if (action.kind !== 'create' && action.kind !== 'update') throw new Error(action.kind);
    const { name, resourceVersion } = action.object.metadata;
    const table: Map<string, Pod | NodeAllocation> =
      action.resource === 'pods' ? this.pods : this.ledgers;
    const known = table.get(name);
    const expected = action.kind === 'create' ? undefined : resourceVersion;
    if (known?.metadata.resourceVersion !== expected) return false;
    const metadata = { ...action.object.metadata, resourceVersion: `v${this.#version++}` };
    table.set(name, { ...action.object, metadata } as unknown as Pod);
    return true;
  }
}

function play(store: Store, given: Event): void {
  const names = [...store.pods.keys()];
  switch (given.type) {
    case 'add':
      return store.add(given.asked, given.isIsolated);
    case 'delete':
      return void store.pods.delete(names[given.which % names.length] ?? '');
    case 'end': {
      const ended = store.pods.get(names[given.which % names.length] ?? '');
      if (!ended?.spec.nodeName) return;
      const status = { ...ended.status, phase: 'Succeeded' as const };
      return void store.pods.set(ended.metadata.name, { ...ended, status });
    }
    case 'pass': {
      const before = store.snapshot();
      const [one, other] = [schedule(before, NOW_MS), schedule(before, NOW_MS + 1)];
      store.carryOut(one.plans, given.writes);
      // A second one that saw the same, and is late.
      if (given.twice) store.carryOut(other.plans, Infinity);
    }
  }
}

/** Of each device and slice of a node that we hand out, what running pods hold of it. */
function held(store: Store, { metadata: { name } }: Node) {
  const milli = new Map<string, number>();
  const mib = new Map<string, number>();
  const add = (map: Map<string, number>, device: string, amount: number) =>
    map.set(device, (map.get(device) ?? 0) + amount);
  for (const { spec, status, control } of store.pods.values()) {
    if (spec.nodeName !== name || status.phase === 'Succeeded') continue;
    for (const one of spec.containers) {
      const requests = podRequests({ containers: [one] });
      const devices = (control?.gpuDevices?.[one.name] ?? '').split(',').filter(Boolean);
      const part = requests['nullplane.io/gpu-milli'];
      const count =
        (requests['nvidia.com/gpu'] ?? 0) +
        (requests['nvidia.com/mig-1g.5gb'] ?? 0) +
        (requests['nvidia.com/mig-3g.20gb'] ?? 0) +
        (part === undefined ? 0 : 1);
      expect(devices, `${one.name} on ${name}`).toHaveLength(count);
      expect(new Set(devices).size).toBe(count);
      for (const device of devices) {
        add(milli, device, part ?? 1000);
        const isPart = part !== undefined;
        add(mib, device, isPart ? (requests['nullplane.io/gpu-memory-mib'] ?? 0) : GPU_MIB);
      }
    }
  }
  return { milli, mib };
}

function check(store: Store): void {
  const allocations = [...store.ledgers.values()];
  const pods = [...store.pods.values()];
  for (const node of NODES) {
    expect(checkDevices(node, { pods, allocations })).toEqual([]);
    const sharing = node.metadata.labels?.['nullplane.io/gpu-sharing'];
    if (sharing !== 'assigned') continue;
    const { milli, mib } = held(store, node);
    for (const [device, amount] of milli) expect(amount, device).toBeLessThanOrEqual(1000);
    for (const [device, amount] of mib) {
      if (!device.includes(':')) expect(amount, device).toBeLessThanOrEqual(GPU_MIB);
    }
  }
}

/** What each of the devices and slices of our nodes is, by the text of NODES above. */
const DEVICES: { readonly [node: string]: { readonly [device: string]: string } } = {
  a: { 0: 'gpu', 1: 'gpu' },
  b: { '0:0': 'mig-3g.20gb', '0:1': 'mig-1g.5gb', '0:2': 'mig-1g.5gb', 1: 'gpu', 2: 'gpu' },
  c: { 0: 'gpu', 1: 'gpu', 2: 'gpu', 3: 'gpu' },
};

function hasRoom(store: Store, node: Node, requests: Requests): boolean {
  const { milli, mib } = held(store, node);
  const devices = Object.entries(DEVICES[node.metadata.name] ?? {});
  const isFree = (device: string) => !milli.has(device);
  return Object.entries(requests).every(([resource, amount]) => {
    if (resource === 'nullplane.io/gpu-milli') {
      const wanted = requests['nullplane.io/gpu-memory-mib'] ?? 0;
      return devices.some(([device, kind]) => {
        const isOpen = (milli.get(device) ?? 0) + amount <= 1000;
        return kind === 'gpu' && isOpen && (mib.get(device) ?? 0) + wanted <= GPU_MIB;
      });
    }
    if (!resource.startsWith('nvidia.com/')) return true;
    const kindWanted = resource.slice('nvidia.com/'.length);
    const free = devices.filter(([device, kind]) => kind === kindWanted && isFree(device));
    return free.length >= amount;
  });
}

describe('GPUs over many passes', () => {
  it('are never given to more than they have room for, and ledgers agree with pods', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 5, maxLength: 40 }), (events) => {
        const store = new Store();
        for (const one of events) {
          play(store, one);
          check(store);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leave a pod waiting only where no node has what it asks for', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 25 }), (parts) => {
        const store = new Store(OURS);
        for (const one of parts) store.add([one], false);
        const { plans, unschedulable } = schedule(store.snapshot(), NOW_MS);
        store.carryOut(plans, Infinity);
        for (const { pod: left } of unschedulable) {
          const open = OURS.filter((node) => hasRoom(store, node, podRequests(left.spec)));
          expect(open.map(({ metadata }) => metadata.name)).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
