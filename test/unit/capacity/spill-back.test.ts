/** Who goes back to a kind of capacity that it wants more, and who stays. */
import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../shared/api/conditions.ts';
import { findCondition } from '../../../shared/api/conditions.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { KubeObject, ObjectMeta } from '../../../shared/api/meta.ts';
import { parseSpillBack } from '../../../shared/api/spill-back.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { Faults } from '../../../shared/api/validation/faults.ts';
import { checkPlacement } from '../../../shared/api/validation/placement.ts';
import { withShortages } from '../../../shared/core/capacity/shortages.ts';
import { maySpillBack } from '../../../shared/core/capacity/spill-back/candidates.ts';
import { MAX_MOVES, spillBack } from '../../../shared/core/capacity/spill-back/spill-back.ts';
import type { ClusterSnapshot } from '../../../shared/core/scheduling/schedule.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { budget } from '../disruption/fixtures.ts';
import { node, NOW_MS, pod, running } from '../scheduling/fixtures.ts';
import { clusterOf, pool } from './fixtures.ts';

const TYPE = 'karpenter.sh/capacity-type';
const VIRTUAL = { 'nullplane.io/compute': 'fargate' };
const MINUTE_MS = 60_000;

function machineOf(name: string, kind: string, cpu = '4'): Node {
  return node(name, { labels: { [TYPE]: kind }, allocatable: { cpu } });
}

const od = machineOf('od', 'on-demand');
const spot = machineOf('spot', 'spot');
const fargate = node('fargate', { labels: { ...VIRTUAL, [TYPE]: 'on-demand' } });
const fargateSpot = node('fargate-spot', {
  labels: { ...VIRTUAL, [TYPE]: 'spot' },
  spec: { taints: [{ key: TYPE, value: 'spot', effect: 'PreferNoSchedule' }] },
});

function short(one: Node): Node {
  const control = { shortUntilMs: NOW_MS + MINUTE_MS };
  return { ...one, control } as Node;
}

function withMeta<T extends KubeObject>(one: T, meta: Partial<ObjectMeta>): T {
  return { ...one, metadata: { ...one.metadata, ...meta } };
}

type Rest = Partial<ClusterSnapshot>;

interface Given {
  readonly order?: string;
  readonly after?: string;
  readonly owner?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly labels?: ObjectMeta['labels'];
  readonly annotations?: ObjectMeta['annotations'];
  /** How long it has been there. */
  readonly sinceMs?: number;
  readonly ready?: boolean;
  readonly leaving?: string;
}

/** A pod that has run on the node for twenty minutes, and wants back after ten. */
function web(name: string, on: Node, given: Given = {}): Pod {
  const { order, after = '10m', owner = name, cpu = '1', memory = '2Gi', ready = true } = given;
  const { sinceMs = 20 * MINUTE_MS, leaving } = given;
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true },
  ];
  const lastTransitionTime = rfc3339(NOW_MS - sinceMs);
  const conditions: Condition[] = [
    { type: 'PodScheduled', status: 'True', lastTransitionTime },
    { type: 'Ready', status: ready ? 'True' : 'False' },
    ...(leaving ? [{ type: 'DisruptionTarget', status: 'True', reason: leaving } as const] : []),
  ];
  const made = pod(name, {
    requests: { cpu, memory },
    labels: { app: 'web', ...given.labels },
    meta: {
      ownerReferences,
      annotations: {
        'nullplane.io/spill-back': after,
        ...(order === undefined ? {} : { 'nullplane.io/capacity-preference': order }),
        ...given.annotations,
      },
      creationTimestamp: lastTransitionTime,
      ...(leaving ? { deletionTimestamp: rfc3339(NOW_MS) } : {}),
    },
    status: { conditions },
  });
  return running(on.metadata.name, made);
}

function decide(nodes: readonly Node[], pods: readonly Pod[], given: Rest = {}) {
  const snapshot = clusterOf([], [], pods, { nodes, ...given });
  const { plans, againAfterMs } = spillBack(snapshot, MACHINE_TYPES, NOW_MS);
  const stages = plans.flatMap((plan) => plan.stages);
  const updates = stages.map((stage) =>
    stage.flatMap((action) => (action.kind === 'update' ? [action] : [])),
  );
  const marked = updates.flat().filter(({ resource }) => resource === 'pods');
  const told = stages.flat().flatMap((action) => (action.kind === 'event' ? [action] : []));
  return {
    moved: marked.map(({ object }) => object.metadata.name).sort(),
    pods: marked.map(({ object }) => object as unknown as Pod),
    order: updates.map((stage) => stage.map(({ resource }) => resource)),
    told: told.map(({ reason, message }) => `${reason}: ${message}`),
    againAfterMs,
    isSilent: plans.length === 0 && againAfterMs === undefined,
  };
}

describe('the annotation', () => {
  it.each<[string, number | string]>([
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1m', 60_000],
    ['59s', 'must be 1m at least'],
    ['0s', 'must be 1m at least'],
    ['-10m', 'must be 1m at least'],
    ['10', 'must be a duration, such as 10m'],
    ['', 'must be a duration, such as 10m'],
    ['soon', 'must be a duration, such as 10m'],
    ['Never', 'must be a duration, such as 10m'],
  ])('%j', (text, expected) => {
    expect(parseSpillBack(text)).toBe(expected);
    const faults = new Faults();
    checkPlacement({ annotations: { 'nullplane.io/spill-back': text } }, 'metadata', faults);
    const field = 'metadata.annotations[nullplane.io/spill-back]';
    expect(faults.causes.map((cause) => cause.field)).toEqual(
      typeof expected === 'string' ? [field] : [],
    );
  });
});

describe('a pod that says in which order it wants kinds', () => {
  it.each<[string, Node, readonly Node[], boolean]>([
    ['fargate-spot, fargate', fargate, [fargate, fargateSpot], true],
    ['fargate-spot', fargate, [fargate, fargateSpot], true],
    ['spot, on-demand', od, [od, spot], true],
    ['spot, fargate-spot, on-demand', od, [od, fargateSpot], true],
    ['on-demand, spot', spot, [od, spot], true],
    ['fargate', od, [od, fargate], true],
    // It has the best that there is.
    ['spot, on-demand', spot, [od, spot], false],
    ['spot, on-demand', od, [od, fargate], false],
    // Kinds that are not named are alike.
    ['spot', fargate, [fargate, fargateSpot, od], false],
    // The better kind is short, or its own is: it could not come back.
    ['fargate-spot, fargate', fargate, [fargate, short(fargateSpot)], false],
    ['fargate-spot, fargate', short(fargate), [short(fargate), fargateSpot], false],
    // There is no room of it.
    ['spot, on-demand', od, [od, machineOf('small', 'spot', '500m')], false],
  ])('and wants %j', (order, on, nodes, moves) => {
    const { moved, isSilent } = decide(nodes, [web('p', on, { order })]);
    expect(moved).toEqual(moves ? ['p'] : []);
    expect(isSilent).toBe(!moves);
  });

  it('is told why it goes, in an event and in its condition', () => {
    const { told, pods } = decide([fargate, fargateSpot], [web('p', fargate, { order: WANTED })]);
    const why =
      'Evicted from fargate: fargate-spot may have room again, which it prefers to fargate';
    expect(told).toEqual([`SpillBack: ${why}`]);
    const target = findCondition(pods[0]?.status.conditions, 'DisruptionTarget');
    expect(target).toMatchObject({ status: 'True', reason: 'SpillBack', message: why });
  });
});

const WANTED = 'fargate-spot, fargate';

function poolOf(kind: string) {
  const requirements = [{ key: TYPE, operator: 'In' as const, values: [kind] }];
  return pool({ template: { requirements } });
}

function withoutRoom(kind: 'spot' | 'on-demand') {
  const met = MACHINE_TYPES.flatMap(({ name, offerings }) =>
    offerings.map(({ zone }) => ({ type: name, zone, capacityType: kind })),
  );
  return withShortages(poolOf(kind), met, NOW_MS);
}

describe('a machine that could be launched', () => {
  const order = 'spot, on-demand, fargate';
  const full = machineOf('full', 'on-demand', '1');
  it.each<[string, readonly Node[], Rest, boolean]>([
    ['for a pod on Fargate', [fargate], { pools: [poolOf('spot')] }, true],
    ['of no better kind', [fargate], { pools: [] }, false],
    ['but was not to be had lately', [fargate], { pools: [withoutRoom('spot')] }, false],
    ['for a pod on a full machine', [full], { pools: [poolOf('spot')] }, true],
    // The pass would put the replacement there: no machine is launched where one has room.
    ['where its own kind has room', [od], { pools: [poolOf('spot')] }, false],
    ['of its own kind', [full], { pools: [poolOf('on-demand')] }, false],
  ])('%s', (_what, nodes, given, moves) => {
    const [on = od] = nodes;
    const { moved, isSilent } = decide(nodes, [web('p', on, { order })], given);
    expect(moved).toEqual(moves ? ['p'] : []);
    expect(isSilent).toBe(!moves);
  });
});

describe('a pod that has no order', () => {
  const large = { cpu: '2', memory: '8Gi' };
  it.each<[string, Node, readonly Node[], Rest, boolean]>([
    ['goes from Fargate to room that is paid for', fargate, [fargate, od], {}, true],
    ['stays on a machine', od, [od, spot, fargate, fargateSpot], {}, false],
    ['stays where Spot costs less and is second', fargate, [fargate, fargateSpot], {}, false],
    ['stays where the other costs more', fargateSpot, [fargate, fargateSpot], {}, false],
    // $0.1165 an hour on Fargate; with a cent for being one more, $0.05 and $0.11.
    ['goes for much less', fargate, [fargate], { pools: [poolOf('spot')] }, true],
    ['stays for little less', fargate, [fargate], { pools: [poolOf('on-demand')] }, false],
    ['waits for what is short', fargate, [fargate], { pools: [withoutRoom('spot')] }, false],
    // Its own kind is short: what it would get now is not what it wants.
    ['stays while it can’t return', short(fargate), [short(fargate), fargateSpot], {}, false],
  ])('%s', (_what, on, nodes, given, moves) => {
    const { moved, isSilent } = decide(nodes, [web('p', on, large)], given);
    expect(moved).toEqual(moves ? ['p'] : []);
    expect(isSilent).toBe(!moves);
  });

  it('is told what it cost, and will', () => {
    const { told } = decide([fargate], [web('p', fargate, large)], { pools: [poolOf('spot')] });
    expect(told).toEqual([
      'SpillBack: Evicted from fargate: spot may have room again, ' +
        'for $0.0500/h instead of $0.1165/h on fargate',
    ]);
  });
});

describe('left alone is', () => {
  const p = (given: Given = {}) => web('p', fargate, { order: WANTED, ...given });
  const gang = 'pod-group.scheduling.sigs.k8s.io/name';
  const size = 'pod-group.scheduling.sigs.k8s.io/min-available';
  const without = ({ metadata, ...rest }: Pod): Pod => {
    const { 'nullplane.io/spill-back': _, ...annotations } = metadata.annotations ?? {};
    return { ...rest, metadata: { ...metadata, annotations } };
  };
  it.each<[string, Pod]>([
    ['a pod that does not ask for it', without(p())],
    ['one that says it in no way that is known', p({ after: 'soon' })],
    ['one that has been there for less than it says', p({ sinceMs: 599_000 })],
    ['one that nobody would make again', withMeta(p(), { ownerReferences: [] })],
    ['one that asks to stay', p({ annotations: { 'karpenter.sh/do-not-disrupt': 'true' } })],
    ['one of a gang', p({ labels: { 'scheduling.x-k8s.io/pod-group': 'g' } })],
    ['one of a gang of its own', p({ annotations: { [gang]: 'g', [size]: '1' } })],
    ['one that does not run', { ...p(), status: { ...p().status, phase: 'Pending' } }],
    ['one that has ended', { ...p(), status: { ...p().status, phase: 'Succeeded' } }],
  ])('%s', (_what, one) => {
    expect(maySpillBack(one, NOW_MS)).toBe(false);
    expect(decide([fargate, fargateSpot], [one]).isSilent).toBe(true);
  });

  it.each<[string, Node]>([
    [
      'is not to be emptied',
      withMeta(fargate, { annotations: { 'nullplane.io/no-eviction': '' } }),
    ],
    ['is emptied by others', withMeta(fargate, { deletionTimestamp: rfc3339(NOW_MS) })],
    [
      'is not heard of',
      { ...fargate, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    ],
  ])('one on a node that %s', (_what, on) => {
    expect(decide([on, fargateSpot], [p()]).isSilent).toBe(true);
  });

  it('none that has been there for as long as it says', () => {
    expect(decide([fargate, fargateSpot], [p({ sinceMs: 600_000 })]).moved).toEqual(['p']);
  });
});

describe('moves', () => {
  const nodes = [fargate, fargateSpot];
  const p = (name: string, given: Given = {}) => web(name, fargate, { order: WANTED, ...given });

  it('are one of each owner, the one that has been away for longest', () => {
    const pods = [p('a1', { owner: 'a' }), p('a2', { owner: 'a', sinceMs: 30 * MINUTE_MS })];
    expect(decide(nodes, [...pods, p('b1', { owner: 'b' })])).toMatchObject({
      moved: ['a2', 'b1'],
      againAfterMs: 10_000,
    });
  });

  it('wait while another of the owner has not been on a dear kind for as long as they say', () => {
    const [old, young] = [p('a1', { owner: 'a' }), p('a2', { owner: 'a', sinceMs: MINUTE_MS })];
    expect(decide(nodes, [old, young]).isSilent).toBe(true);
    const back = web('a2', fargateSpot, { owner: 'a', order: WANTED, sinceMs: MINUTE_MS });
    expect(decide(nodes, [old, back]).moved).toEqual(['a1']);
    const other = p('b1', { owner: 'b', sinceMs: MINUTE_MS });
    expect(decide(nodes, [old, other]).moved).toEqual(['a1']);
  });

  it('wait until all pods of the owner are there, and look again for some minutes', () => {
    const mine = p('a1', { owner: 'a' });
    const leaving = p('a2', { owner: 'a', leaving: 'SpillBack' });
    const starting = (sinceMs: number) =>
      web('a2', fargateSpot, { owner: 'a', order: WANTED, sinceMs, ready: false });
    const [young, stuck] = [starting(MINUTE_MS), starting(5 * MINUTE_MS)];
    const soon = { moved: [], againAfterMs: 10_000 };
    expect(decide(nodes, [mine, leaving])).toMatchObject(soon);
    expect(decide(nodes, [mine, young])).toMatchObject(soon);
    expect(decide(nodes, [mine, stuck]).isSilent).toBe(true);
    // Nothing could move: nobody looks again.
    expect(decide([fargate, short(fargateSpot)], [mine, young]).isSilent).toBe(true);
  });

  it('are few at a time', () => {
    const many = Array.from({ length: MAX_MOVES + 5 }, (_, n) => p(`p${n}`));
    expect(decide(nodes, many).moved).toHaveLength(MAX_MOVES);
    const under = Array.from({ length: 4 }, (_, n) => p(`gone${n}`, { leaving: 'SpillBack' }));
    expect(decide(nodes, [...many, ...under]).moved).toHaveLength(MAX_MOVES - 4);
    const others = under.map(({ metadata }) => p(metadata.name, { leaving: 'Preempted' }));
    expect(decide(nodes, [...many, ...others]).moved).toHaveLength(MAX_MOVES);
  });

  it('are no more than there is room for', () => {
    const small = machineOf('small', 'spot', '2');
    const pods = [1, 2, 3].map((n) => web(`p${n}`, od, { order: 'spot, on-demand' }));
    expect(decide([od, small], pods).moved).toHaveLength(2);
  });

  it('leave room to pods that wait', () => {
    const small = machineOf('small', 'spot', '1');
    const waiting = pod('waiting', {
      requests: { cpu: '1' },
      spec: { nodeSelector: { [TYPE]: 'spot' } },
    });
    const mine = web('p', od, { order: 'spot, on-demand' });
    expect(decide([od, small], [mine]).moved).toEqual(['p']);
    expect(decide([od, small], [mine, waiting]).moved).toEqual([]);
  });

  it('keep to what holds once the pod has gone', () => {
    const topologySpreadConstraints = [
      {
        ...{ maxSkew: 1, topologyKey: TYPE, whenUnsatisfiable: 'DoNotSchedule' as const },
        labelSelector: { matchLabels: { app: 'web' } },
        ...{ nodeAffinityPolicy: 'Honor' as const, nodeTaintsPolicy: 'Ignore' as const },
      },
    ];
    const mine = web('p', od, { order: 'spot, on-demand' });
    const spread = { ...mine, spec: { ...mine.spec, topologySpreadConstraints } };
    const other = web('q', spot);
    expect(decide([od, spot], [mine, other]).moved).toEqual(['p']);
    // The two would be on Spot, and none on demand.
    expect(decide([od, spot], [spread, other]).isSilent).toBe(true);
  });

  const allowing = (disruptionsAllowed: number, app = 'web') => {
    const selector = { matchLabels: { app } };
    const made = budget({ minAvailable: 1, selector }, { disruptionsAllowed });
    return withMeta(made, { namespace: 'default' });
  };

  it('are good for those that go, not only for more of them', () => {
    const pods = ['a', 'b', 'c'].map((name) => web(name, fargate, { cpu: '500m', memory: '1Gi' }));
    const pools = [poolOf('spot')];
    // Three share a machine for $0.05 an hour; on Fargate each costs $0.0247.
    expect(decide([fargate], pods, { pools }).moved).toEqual(['a', 'b', 'c']);
    expect(decide([fargate], pods, { pools, budgets: [allowing(1)] }).isSilent).toBe(true);
  });

  it('are not held up by those that budgets hold', () => {
    const held = Array.from({ length: MAX_MOVES }, (_, n) => {
      return p(`held${n}`, { labels: { app: 'held' }, sinceMs: 60 * MINUTE_MS });
    });
    const budgets = [allowing(0, 'held')];
    expect(decide(nodes, [...held, p('free')], { budgets }).moved).toEqual(['free']);
  });

  it('are those that budgets allow, and written in the budgets first', () => {
    const pods = [p('a'), p('b'), p('c')];
    expect(decide(nodes, pods, { budgets: [allowing(0)] }).isSilent).toBe(true);
    const two = decide(nodes, pods, { budgets: [allowing(2)] });
    expect(two.moved).toEqual(['a', 'b']);
    expect(two.order).toEqual([['poddisruptionbudgets.policy'], ['pods', 'pods'], []]);
  });
});
