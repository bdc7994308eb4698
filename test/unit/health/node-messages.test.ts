import { describe, expect, it } from 'vitest';
import type { ConditionMessage } from '../../../shared/api/task.ts';
import { findCondition } from '../../../shared/api/conditions.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { SimulatedRuntime } from '../../../adapters/memory/simulated-runtime.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import { handleHealth } from '../../../shared/control/health.ts';
import { parseHealthMessage } from '../../../shared/core/health/message.ts';
import {
  GPU_TAINT,
  MAX_CONDITIONS,
  observeCondition,
} from '../../../shared/core/node/conditions.ts';
import { NEWS_MS } from '../../../shared/core/node/observe.ts';
import { hasTaint, nodeControl } from '../../../shared/core/node/state.ts';
import { ID, machine, REGISTRATION, T0 } from '../node/fixtures.ts';

const GPU = {
  type: 'node-condition',
  nodeName: ID,
  atMs: T0,
  condition: { type: 'GPUHealthy', status: 'False', reason: 'XidError', message: 'Xid 79' },
} as const;
const SPOT = { type: 'node-interruption', nodeName: ID, kind: 'spot', atMs: T0 } as const;
const JOINED = { type: 'node-registration', nodeName: ID, registration: REGISTRATION, atMs: T0 };

describe('a message about a node', () => {
  it.each([[GPU], [SPOT], [{ ...SPOT, endsAtMs: T0 + 5 }], [JOINED]])('is taken: %j', (message) => {
    expect(parseHealthMessage(message)).toEqual(message);
  });

  it('loses what nobody asked for', () => {
    const extra = { ...GPU, spec: {}, condition: { ...GPU.condition, lastHeartbeatTime: 'x' } };
    expect(parseHealthMessage(extra)).toEqual(GPU);
  });

  const condition = (given: object) => ({ ...GPU, condition: { ...GPU.condition, ...given } });
  const registration = (given: object) => ({
    ...JOINED,
    registration: { ...REGISTRATION, ...given },
  });
  const many = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`a${i}`, '']));

  it.each([
    ['no type', { ...GPU, type: undefined }],
    ['an unknown type', { ...GPU, type: 'node-song' }],
    ['a type of every object', { ...GPU, type: 'constructor' }],
    ['no node', { ...GPU, nodeName: undefined }],
    ['an empty node', { ...GPU, nodeName: '' }],
    ['a name that is too long', { ...GPU, nodeName: 'n'.repeat(254) }],
    ['no time', { ...GPU, atMs: undefined }],
    ['a time that is none', { ...GPU, atMs: 'now' }],
    ['a time before all times', { ...GPU, atMs: -1 }],
    ['no condition', { ...GPU, condition: undefined }],
    ['a condition that is the controller’s', condition({ type: 'Ready' })],
    ['a condition of no name', condition({ type: 'two words' })],
    ['a condition with a name too long', condition({ type: 'a'.repeat(129) })],
    ['a status of its own', condition({ status: 'true' })],
    ['a reason that is a sentence', condition({ reason: 'it broke' })],
    ['a message that is too long', condition({ message: 'x'.repeat(1025) })],
    ['a message that is no text', condition({ message: {} })],
    ['an unknown kind', { ...SPOT, kind: 'meteor' }],
    ['an end that is no time', { ...SPOT, endsAtMs: '5' }],
    ['no registration', { ...JOINED, registration: null }],
    ['a registration of no id', registration({ id: '' })],
    ['a version that goes backwards', registration({ version: -1 })],
    ['a version of pieces', registration({ version: 1.5 })],
    ['a status of nothing', registration({ status: 'ASLEEP' })],
    ['an agent that may be there', registration({ agentConnected: 'yes' })],
    ['endless memory', registration({ memoryMiB: 1e300 })],
    ['attributes that are too many', registration({ attributes: many })],
    ['attributes that are too long', registration({ attributes: { a: 'x'.repeat(257) } })],
    ['attributes that are no texts', registration({ attributes: { a: {} } })],
  ])('is refused with %s', (_, message) => {
    expect(typeof parseHealthMessage(message)).toBe('string');
  });
});

describe('a condition that an agent reports', () => {
  const told = (
    node: Node,
    status: ConditionMessage['condition']['status'],
    atMs: number,
    type = 'GPUHealthy',
  ) =>
    observeCondition(node, { ...GPU, condition: { ...GPU.condition, type, status }, atMs }, atMs);

  it('shows on the node, and keeps new pods from failed GPUs', () => {
    const failed = told(machine(), 'False', T0)!;
    expect(findCondition(failed.status.conditions, 'GPUHealthy')).toMatchObject({
      status: 'False',
      reason: 'XidError',
    });
    expect(failed.spec.taints).toContainEqual(GPU_TAINT);
    const unknown = told(failed, 'Unknown', T0 + 1)!;
    expect(hasTaint(unknown, GPU_TAINT.key)).toBe(true);
    const mended = told(unknown, 'True', T0 + 2)!;
    expect(hasTaint(mended, GPU_TAINT.key)).toBe(false);
  });

  it('is no news when it is doubled, late or the same again', () => {
    const failed = told(machine(), 'False', T0 + 10)!;
    expect(told(failed, 'False', T0 + 10)).toBeUndefined();
    expect(told(failed, 'True', T0 + 9)).toBeUndefined();
    expect(told(failed, 'False', T0 + 20)).toBeUndefined();
  });

  it('is of the past when it was told days ago, whatever clock wrote down what came after', () => {
    const old = { ...GPU, atMs: T0 };
    expect(observeCondition(machine(), old, T0 + NEWS_MS)).toBeDefined();
    expect(observeCondition(machine(), old, T0 + NEWS_MS + 1)).toBeUndefined();
  });

  it('taints for GPUs only, and never speaks of Ready', () => {
    const disk = told(machine(), 'False', T0, 'DiskHealthy')!;
    expect(hasTaint(disk, GPU_TAINT.key)).toBe(false);
    expect(told(machine(), 'False', T0, 'Ready')).toBeUndefined();
  });

  it('is one of few', () => {
    let node: Node = machine();
    for (let i = 0; i < MAX_CONDITIONS * 2; i++) node = told(node, 'False', T0, `C${i}`) ?? node;
    expect(node.status.conditions).toHaveLength(MAX_CONDITIONS);
  });
});

describe('a message from a clock that is wrong', () => {
  it('counts as said now, so that what is said later counts', async () => {
    const clock = new StepClock(T0);
    const store = new MemoryStore({ clock });
    const runtime = new SimulatedRuntime({ clock, emit: () => {} });
    const recorder = new MemoryRecorder();
    const effects = { clock, store, runtime, ids: new SeededIds(1), recorder };
    await store.create('nodes', machine());
    const node = async () => (await store.get<Node>(KEY))!;
    await handleHealth({ ...GPU, atMs: T0 + 1e12 }, effects);
    expect(nodeControl(await node()).conditionsAtMs).toEqual({ GPUHealthy: T0 + 60_000 });
    await clock.advance(61_000);
    const condition = { ...GPU.condition, status: 'True' };
    await handleHealth({ ...GPU, condition, atMs: clock.nowMs() }, effects);
    expect(hasTaint(await node(), GPU_TAINT.key)).toBe(false);
  });
});

const KEY = { resource: 'nodes', namespace: '', name: ID };
