/** M1: whatever passes came before, a pass gives the answer that it would give anew. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node, NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { PodDisruptionBudget } from '../../../shared/api/kinds/policy.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { Action, Plan } from '../../../shared/core/plan.ts';
import { LEDGERS } from '../../../shared/core/scheduling/ledger.ts';
import { PassMemory } from '../../../shared/core/scheduling/memory.ts';
import { isPending } from '../../../shared/core/scheduling/pending.ts';
import { type ClusterSnapshot, schedule } from '../../../shared/core/scheduling/schedule.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { pool } from '../capacity/fixtures.ts';
import { namespace, node, NOW_MS, pod, running, snapshot } from './fixtures.ts';
import { namespaces, preemptingPods, someNodes } from './generators.ts';
import { gpuNode, gpuPod, share, whole } from './gpu-fixtures.ts';

const RUNS = { numRuns: 200 };
const SPOILT = 2;

/** What would be stored between passes. */
class World {
  nodes: readonly Node[];
  pods = new Map<string, Pod>();
  ledgers = new Map<string, NodeAllocation>();
  namespaces = namespaces;
  budgets: readonly PodDisruptionBudget[] = [];
  hasPool = false;
  nowMs = NOW_MS;
  #version = 100;

  constructor(nodes: readonly Node[]) {
    this.nodes = nodes;
  }

  snapshot(): ClusterSnapshot {
    const { nodes, namespaces: all, budgets } = this;
    const [pods, ledgers] = [[...this.pods.values()], [...this.ledgers.values()]];
    const given = snapshot({ nodes, pods, ledgers, namespaces: all });
    return { ...given, budgets, ...(this.hasPool ? { pools: [pool()] } : {}) };
  }

  /** `share`: how much of the plans is carried out before the pass is cut off. */
  carryOut(plans: readonly Plan[], isCutOff: boolean): void {
    for (const { stages } of plans) {
      for (const stage of isCutOff ? stages.slice(0, 1) : stages) stage.forEach((a) => this.#do(a));
    }
  }

  put(given: Pod): void {
    const metadata = { ...given.metadata, resourceVersion: String(this.#version++) };
    this.pods.set(given.metadata.uid, { ...given, metadata });
  }

  #do(action: Action): void {
    if (action.kind !== 'create' && action.kind !== 'update') return;
    const { resource, object } = action;
    if (resource === 'pods') this.put(object as unknown as Pod);
    if (resource === LEDGERS) {
      const metadata = { ...object.metadata, resourceVersion: String(this.#version++) };
      const ledger = { ...object, metadata } as unknown as NodeAllocation;
      this.ledgers.set(object.metadata.name, ledger);
    }
  }
}

type Step = (world: World) => void;

const index = fc.nat({ max: 30 });

function picked<T>(from: Iterable<T>, at: number): T | undefined {
  const all = [...from];
  return all[at % Math.max(1, all.length)];
}

/** Does it to one of the pods. */
const toPod = (act: (pod: Pod, world: World, at: number) => void) =>
  index.map((at): Step => (world) => {
    const one = picked(world.pods.values(), at);
    if (one) act(one, world, at);
  });

let serial = 0;

const come = preemptingPods.map((pods): Step => (world) => {
  for (const one of pods) {
    const name = `${one.metadata.name}-${serial++}`;
    const metadata = { ...one.metadata, name, uid: `uid-${name}` };
    world.put({ ...one, metadata });
  }
});

const gang = fc.nat({ max: 4 }).map((size): Step => (world) => {
  const name = `gang-${serial++}`;
  for (let i = 0; i < 3; i++) {
    const annotations = {
      'pod-group.scheduling.sigs.k8s.io/name': name,
      'pod-group.scheduling.sigs.k8s.io/min-available': String(size + 1),
    };
    const labels = { ...annotations, app: 'a' };
    world.put(pod(`${name}-${i}`, { namespace: 'x', labels, requests: { cpu: '1' } }));
  }
});

const replicas = fc.nat({ max: 1 }).map((owner): Step => (world) => {
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: `r${owner}`, controller: true },
  ];
  const requests = { cpu: '250m' };
  for (let i = 0; i < 2; i++)
    world.put(pod(`r-${serial++}`, { requests, meta: { ownerReferences } }));
});

const gpus = fc.constantFrom(whole(1), share(400), share(700)).map((asked): Step => (world) => {
  world.put(gpuPod(`gpu-${serial++}`, asked));
});

const podSteps = [
  toPod(({ metadata }, world) => void world.pods.delete(metadata.uid)),
  toPod((one, world) => world.put({ ...one, status: { ...one.status, phase: 'Succeeded' } })),
  toPod((one, world) => {
    const metadata = { ...one.metadata, deletionTimestamp: '2023-11-14T22:10:00Z' };
    world.put({ ...one, metadata });
  }),
  toPod((one, world) => world.put({ ...one, metadata: { ...one.metadata, labels: { app: 'c' } } })),
  toPod((one, world, at) => {
    const on = picked(world.nodes, at);
    if (on && isPending(one)) world.put(running(on.metadata.name, one));
  }),
  // Sent back: it waits for a node again, and its entry may still be in a ledger.
  toPod((one, world) => {
    const { nodeName: _, ...spec } = one.spec;
    world.put({ ...one, spec, status: { phase: 'Pending' } });
  }),
  // The same pods in another order.
  toPod((one, world) => {
    world.pods.delete(one.metadata.uid);
    world.pods.set(one.metadata.uid, one);
  }),
];

const toNode = (act: (node: Node) => Node | undefined) =>
  index.map((at): Step => (world) => {
    const one = picked(world.nodes, at);
    world.nodes = world.nodes.flatMap((other) => (other === one ? (act(other) ?? []) : other));
  });

const nodeSteps = [
  toNode(() => undefined),
  toNode((one) => ({ ...one, spec: { ...one.spec, unschedulable: true } })),
  toNode((one) => ({ ...one, spec: {} })),
  toNode((one) => ({ ...one, metadata: { ...one.metadata, annotations: { seen: 'now' } } })),
  toNode((one) => ({ ...one, control: { shortUntilMs: NOW_MS + 60_000 } }) as Node),
  fc.constant<Step>((world) => {
    world.nodes = [...world.nodes, node(`m${serial++}`, { allocatable: { cpu: '3' } })];
  }),
  fc.constant<Step>((world) => {
    world.nodes = [...world.nodes, gpuNode(`g${serial++}`, 2)];
  }),
  fc.constant<Step>((world) => {
    const labels = { 'nullplane.io/compute': 'fargate' };
    world.nodes = [...world.nodes, node(`fargate-${serial++}`, { labels })];
  }),
];

const otherSteps = [
  index.map((at): Step => (world) => {
    const name = picked(world.ledgers.keys(), at);
    if (name !== undefined) world.ledgers.delete(name);
  }),
  index.map((at): Step => (world) => {
    const ledger = picked(world.ledgers.values(), at);
    if (!ledger) return;
    const allocations = ledger.allocations.slice(SPOILT);
    world.ledgers.set(ledger.metadata.name, { ...ledger, allocations });
  }),
  fc.constant<Step>((world) => {
    world.namespaces = [namespace('x', { team: 'two' }), namespace('y', { team: 'one' })];
  }),
  fc.constant<Step>((world) => void (world.hasPool = !world.hasPool)),
  fc.constant<Step>((world) => void (world.nowMs += 61_000)),
  fc.constantFrom(0, 1).map((disruptionsAllowed): Step => (world) => {
    const metadata = { ...pod('budget', { namespace: 'x' }).metadata, generation: 1 };
    const spec = { minAvailable: 1, selector: { matchLabels: { app: 'a' } } };
    const counts = { currentHealthy: 1, desiredHealthy: 1, expectedPods: 2 };
    const status = { disruptionsAllowed, ...counts, observedGeneration: 1 };
    const kind = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' };
    world.budgets = [{ ...kind, metadata, spec, status } as PodDisruptionBudget];
  }),
];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: come },
  { weight: 2, arbitrary: gang },
  { weight: 2, arbitrary: replicas },
  { weight: 1, arbitrary: gpus },
  { weight: 12, arbitrary: fc.oneof(...podSteps) },
  { weight: 2, arbitrary: fc.oneof(...nodeSteps) },
  { weight: 3, arbitrary: fc.oneof(...otherSteps) },
);

const history = fc.record({
  nodes: someNodes,
  rounds: fc.array(
    fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 4 }),
      outcome: fc.constantFrom('done', 'done', 'done', 'cut off', 'lost'),
    }),
    { minLength: 2, maxLength: 8 },
  ),
});

describe('a pass that goes on from the one before', () => {
  it('gives the answer that it would give anew', () => {
    let [warm, all] = [0, 0];
    fc.assert(
      fc.property(history, ({ nodes, rounds }) => {
        const world = new World(nodes);
        const memory = new PassMemory();
        for (const { steps, outcome } of rounds) {
          for (const one of steps) one(world);
          const given = world.snapshot();
          const options = { batchSize: 10, types: MACHINE_TYPES };
          const inspect = (one: Pod) => one.metadata.name.endsWith('1');
          all++;
          const found = schedule(given, world.nowMs, { ...options, memory, inspect });
          expect(found).toEqual(schedule(given, world.nowMs, { ...options, inspect }));
          if (outcome !== 'lost') world.carryOut(found.plans, outcome === 'cut off');
        }
        warm += memory.followed;
      }),
      RUNS,
    );
    expect(warm / all).toBeGreaterThan(0.3);
  });
});
