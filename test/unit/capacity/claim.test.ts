import { describe, expect, it } from 'vitest';
import type { NodeClaim, NodePool } from '../../../shared/api/kinds/karpenter.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { findCondition, isTrue } from '../../../shared/api/conditions.ts';
import { rfc3339 } from '../../../shared/api/time.ts';
import { wellFormed } from '../../../shared/api/well-formed.ts';
import { driftHash } from '../../../shared/core/capacity/claim/drift.ts';
import { observeLaunch, observeNoLaunch } from '../../../shared/core/capacity/claim/observe.ts';
import { type ClaimSnapshot, planClaim } from '../../../shared/core/capacity/claim/plan.ts';
import { claimControl, comingNodes, POOLS } from '../../../shared/core/capacity/claim/state.ts';
import { hasTaint, TERMINATION_TIME_ANNOTATION } from '../../../shared/core/node/state.ts';
import type { Action } from '../../../shared/core/plan.ts';
import { MACHINE_TYPES } from '../../world/machines.ts';
import { NOW_MS } from '../scheduling/fixtures.ts';
import { type Machine, machine, type MachineGiven, pool } from './fixtures.ts';

const MINUTE_MS = 60_000;

function planned(snapshot: ClaimSnapshot, nowMs = NOW_MS) {
  const plan = planClaim(snapshot, nowMs);
  const actions = plan.stages.flat();
  const kinds = actions.map((action) => action.kind);
  const events = actions.flatMap((a) => (a.kind === 'event' ? [a.reason] : []));
  return { ...plan, actions, kinds, events };
}

function written<T>(actions: readonly Action[], resource: string): T | undefined {
  const write = actions.find((action) => action.kind === 'update' && action.resource === resource);
  return write && ((write as { readonly object: unknown }).object as T);
}

/** A claim without its machine, `ageMs` old. */
function fresh(given: MachineGiven = {}, ageMs = 0): NodeClaim {
  const { claim } = machine(1, given);
  const { instanceId: _, launchedType: __, launchedZone: ___, ...control } = claim.control;
  const creationTimestamp = rfc3339(NOW_MS - ageMs);
  const bare = {
    ...claim,
    metadata: { ...claim.metadata, creationTimestamp },
    status: {},
    control,
  };
  return bare;
}

describe('launching', () => {
  it('is asked for under the uid of the claim, until it is answered', () => {
    const { actions } = planned({ claim: fresh() });
    expect(actions).toEqual([
      expect.objectContaining({ kind: 'launchInstance', claimUid: 'uid-claim-1' }),
    ]);
  });

  it('is given up when nothing came of it in time, or when it was refused', () => {
    expect(planned({ claim: fresh({}, 6 * MINUTE_MS) }).events).toEqual(['LaunchFailed']);
    const refused = observeNoLaunch(fresh(), 'InsufficientCapacity', 'none left', NOW_MS);
    const plan = planned({ claim: refused as NodeClaim });
    expect([plan.events, plan.blocked]).toEqual([['InsufficientCapacity'], ['none left']]);
  });

  it('by hand is not acted on', () => {
    const { control: _, ...claim } = fresh() as Machine['claim'];
    expect(planned({ claim }).kinds).toEqual([]);
  });

  it('is remembered once, with what was launched', () => {
    const launched = { id: 'i-9', type: 'm1.xlarge', zone: 'z', capacityType: 'spot' } as const;
    const type = MACHINE_TYPES.find(({ name }) => name === 'm1.xlarge');
    const claim = observeLaunch(fresh(), launched, type, NOW_MS) as NodeClaim;
    expect(claimControl(claim)).toMatchObject({
      instanceId: 'i-9',
      launchedType: 'm1.xlarge',
      room: { cpu: 4000 },
    });
    expect(claim.status.providerID).toBe('aws:///z/i-9');
    expect(observeLaunch(claim, { ...launched, id: 'i-10' }, type, NOW_MS)).toBeUndefined();
    expect(observeNoLaunch(claim, 'Late', '', NOW_MS)).toBeUndefined();
  });
});

describe('joining', () => {
  const claim = () => {
    const made = machine(1, { control: { launchedAtMs: NOW_MS } }).claim;
    return { ...made, status: {} } as NodeClaim;
  };

  it('may take a quarter of an hour, and then the claim is over', () => {
    const waits = planned({ claim: claim() });
    expect([waits.kinds, waits.againAfterMs]).toEqual([[], 15 * MINUTE_MS]);
    const late = planned({ claim: claim() }, NOW_MS + 15 * MINUTE_MS);
    expect(late.events).toEqual(['RegistrationFailed']);
  });

  it('is seen on the node: conditions, room, and what is still to be set up', () => {
    const { node } = machine(1);
    const startup = { key: 'init', effect: 'NoSchedule' } as const;
    const asked = claim();
    const waiting = { ...asked, spec: { ...asked.spec, startupTaints: [startup] } };
    const tainted: Node = { ...node, spec: { taints: [startup] } };
    const first = written<NodeClaim>(planned({ claim: waiting, node: tainted }).actions, CLAIMS);
    expect(isTrue(first?.status.conditions, 'Registered')).toBe(true);
    expect(findCondition(first?.status.conditions, 'Initialized')?.message).toContain('init');
    const then = written<NodeClaim>(planned({ claim: first as NodeClaim, node }).actions, CLAIMS);
    expect(isTrue(then?.status.conditions, 'Initialized')).toBe(true);
    expect(planned({ claim: then as NodeClaim, node }).kinds).toEqual([]);
  });

  it('counts as room that is coming, until the node is there and set up', () => {
    const { node } = machine(1);
    const names = (claims: readonly NodeClaim[], nodes: readonly Node[]) =>
      comingNodes(claims, nodes).map(({ metadata }) => metadata.name);
    expect(names([claim()], [])).toEqual(['claim-1']);
    expect(names([claim()], [node])).toEqual([]);
    const gone = { ...claim(), status: { conditions: [REGISTERED] } };
    expect(names([gone], [])).toEqual([]);
  });
});

const CLAIMS = 'nodeclaims.karpenter.sh';
const REGISTERED = { type: 'Registered', status: 'True' } as const;

describe('the end', () => {
  const finalizers = ['karpenter.sh/termination'];
  const ended = { finalizers, deletionTimestamp: rfc3339(NOW_MS) };

  it('comes with age', () => {
    const { claim, node } = machine(1);
    const old = { ...claim, spec: { ...claim.spec, expireAfter: '30m' } };
    expect(planned({ claim: old, node }).events).toEqual(['Expired']);
    const due = planned({ claim: { ...old, spec: { ...old.spec, expireAfter: '65m' } }, node });
    expect(due.againAfterMs).toBe(5 * MINUTE_MS);
  });

  it('comes when the node is gone that there was', () => {
    const { claim } = machine(1, { conditions: [REGISTERED] });
    expect(planned({ claim }).events).toEqual(['NodeGone']);
  });

  it('takes the node first, then the machine, then the claim', () => {
    const { claim, node } = machine(1, { meta: ended });
    const first = planned({ claim, node });
    expect(first.actions).toEqual([expect.objectContaining({ resource: 'nodes' })]);
    const last = planned({ claim });
    expect(last.kinds).toEqual(['terminateInstance', 'remove']);
  });

  it('tells the node by when, where the claim says how long it may take', () => {
    const { claim, node } = machine(1, { meta: ended });
    const hurried = { ...claim, spec: { ...claim.spec, terminationGracePeriod: '10m' } };
    const { actions } = planned({ claim: hurried, node });
    const told = written<Node>(actions, 'nodes');
    expect(told?.metadata.annotations).toEqual({
      [TERMINATION_TIME_ANNOTATION]: rfc3339(NOW_MS + 10 * MINUTE_MS),
    });
    expect(told?.metadata.deletionTimestamp).toBeUndefined();
    const then = planned({ claim: hurried, node: told as Node });
    expect(then.actions).toEqual([expect.objectContaining({ resource: 'nodes' })]);
  });
});

describe('drift', () => {
  it('shows when the pool makes other nodes now', () => {
    const now = pool();
    const made = (hash: string) =>
      machine(1, { meta: { annotations: { 'karpenter.sh/nodepool-hash': hash } } });
    const drifted = (one: Machine, of = now) => {
      const plan = planned({ claim: one.claim, node: one.node, pool: of });
      const claim = written<NodeClaim>(plan.actions, CLAIMS);
      return findCondition(claim?.status.conditions, 'Drifted')?.reason;
    };
    expect(drifted(made(driftHash(now)))).toBeUndefined();
    expect(drifted(made('another'))).toBe('NodePoolDrifted');
    const arm = { key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] } as const;
    const other = pool({ template: { requirements: [arm] } });
    expect(drifted(made(driftHash(other)), other)).toBe('RequirementsDrifted');
    const spoilt = wellFormed(POOLS, { ...other, status: 'x' } as unknown as NodePool);
    expect(drifted(made('another'), spoilt)).toBeUndefined();
  });
});

describe('a claim that was chosen to go', () => {
  const disruption = { reason: 'Underutilized', atMs: NOW_MS, replacements: ['claim-2'] } as const;
  const chosen = () => machine(1, { control: { disruption } });
  const cordoned = ({ node }: Machine): Node => ({
    ...node,
    spec: { taints: [{ key: 'karpenter.sh/disrupted', effect: 'NoSchedule' }] },
  });
  const unready = { ...machine(2).claim, status: {} };

  it('takes no more pods first', () => {
    const { claim, node } = chosen();
    const { actions } = planned({ claim, node });
    const told = written<Node>(actions, 'nodes');
    expect(told && hasTaint(told, 'karpenter.sh/disrupted')).toBe(true);
  });

  it('goes when what stands in for it is set up, and not before', () => {
    const one = chosen();
    const given = { claim: one.claim, node: cordoned(one) };
    expect(planned({ ...given, replacements: [unready] }).kinds).toEqual([]);
    const gone = planned({ ...given, replacements: [machine(2).claim] });
    expect(gone.events).toEqual(['DisruptionTerminating']);
  });

  const IN_VAIN: readonly (readonly [string, readonly NodeClaim[], number])[] = [
    ['was never written', [], 2 * MINUTE_MS],
    [
      'is over',
      [{ ...unready, metadata: { ...unready.metadata, deletionTimestamp: rfc3339(NOW_MS) } }],
      0,
    ],
    ['is never set up', [unready], 31 * MINUTE_MS],
  ];
  it.each(IN_VAIN)('is taken back into use when its replacement %s', (_, replacements, ageMs) => {
    const one = chosen();
    const plan = planned({ claim: one.claim, node: cordoned(one), replacements }, NOW_MS + ageMs);
    expect(plan.events).toEqual(['DisruptionBlocked']);
    expect(written<Node>(plan.actions, 'nodes')?.spec.taints).toBeUndefined();
    const claim = written<NodeClaim>(plan.actions, CLAIMS);
    expect(claim && claimControl(claim)?.disruption).toBeUndefined();
  });

  it('waits for what has not been written yet', () => {
    const one = chosen();
    const plan = planned({ claim: one.claim, node: cordoned(one), replacements: [] });
    expect(plan.kinds).toEqual([]);
  });
});
