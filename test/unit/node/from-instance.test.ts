import { describe, expect, it } from 'vitest';
import type { Instance, Registration } from '../../../shared/api/instance.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import {
  attributesOf,
  labelsOfAttributes,
  taintsOfAttributes,
} from '../../../shared/api/node-attributes.ts';
import {
  nodeOfInstance,
  observeInstance,
  observeRegistration,
} from '../../../shared/core/node/from-instance.ts';
import { NEWS_MS, observeNode } from '../../../shared/core/node/observe.ts';
import { nodeControl } from '../../../shared/core/node/state.ts';
import { ID, INSTANCE, machine, REGISTRATION, T0 } from './fixtures.ts';

const LATER = T0 + 60_000;

function told(
  node: Node,
  said: Partial<Registration>,
  atMs = LATER,
  nowMs = atMs,
): Node | undefined {
  const registration = { ...REGISTRATION, ...said };
  const message = { type: 'node-registration', nodeName: ID, registration, atMs } as const;
  return observeRegistration(node, message, nowMs);
}

describe('the node of an instance', () => {
  const node = machine();

  it('is named as the instance, and says where it is', () => {
    expect(node.metadata.name).toBe(ID);
    expect(node.spec.providerID).toBe(`aws:///eu-west-1b/${ID}`);
    expect(node.status.addresses).toContainEqual({ type: 'InternalIP', address: '10.0.0.7' });
  });

  it('has the labels that pods choose machines by, and those that it was launched with', () => {
    expect(node.metadata.labels).toEqual({
      'kubernetes.io/hostname': ID,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'node.kubernetes.io/instance-type': 'g5.xlarge',
      'topology.kubernetes.io/zone': 'eu-west-1b',
      'topology.kubernetes.io/region': 'eu-west-1',
      'karpenter.sh/capacity-type': 'spot',
      'karpenter.k8s.aws/instance-category': 'g',
      'karpenter.k8s.aws/instance-generation': '5',
      'karpenter.k8s.aws/instance-family': 'g5',
      'karpenter.k8s.aws/instance-size': 'xlarge',
      'karpenter.k8s.aws/instance-cpu': '4',
      'karpenter.k8s.aws/instance-memory': '16384',
      'karpenter.k8s.aws/instance-gpu-name': 'a10g',
      'karpenter.k8s.aws/instance-gpu-manufacturer': 'nvidia',
      'karpenter.k8s.aws/instance-gpu-count': '1',
      'karpenter.k8s.aws/instance-gpu-memory': '22888',
      'nullplane.io/compute': 'ec2',
      'ecs.instance-type': undefined,
      team: 'ml',
    });
  });

  it('offers what its agent offers, and has what its type has', () => {
    expect(node.status.allocatable).toMatchObject({
      cpu: '4000m',
      memory: '15500Mi',
      'nvidia.com/gpu': '1',
      pods: '3',
    });
    expect(node.status.capacity).toMatchObject({ cpu: '4', memory: '16384Mi' });
    const { shape: _, ...unknown } = INSTANCE;
    expect(nodeOfInstance(unknown, T0)?.status.allocatable).toMatchObject({ pods: '2' });
  });

  it('offers parts and slices of its GPUs where its attributes say so', () => {
    const attributes = {
      ...REGISTRATION.attributes,
      'nullplane.io/gpu-sharing': 'assigned',
      'nullplane.io/mig-1': '3g.20gb_1g.5gb_1g.5gb',
    };
    const registration = { ...REGISTRATION, gpus: 3, attributes };
    const shared = nodeOfInstance({ ...INSTANCE, registration }, T0);
    const offered = {
      'nvidia.com/gpu': '2',
      'nullplane.io/gpu-milli': '2000',
      'nullplane.io/gpu-memory-mib': String(2 * 22_888),
      'nvidia.com/mig-3g.20gb': '1',
      'nvidia.com/mig-1g.5gb': '2',
    };
    expect(shared?.status.allocatable).toMatchObject(offered);
    expect(shared?.status.capacity).toMatchObject(offered);
    // What is told again is no news.
    expect(shared && told(shared, { ...registration, version: 9 })).toBeUndefined();
    const whole = nodeOfInstance(INSTANCE, T0)?.status.allocatable ?? {};
    expect(Object.keys(whole).filter((key) => key.startsWith('nullplane.io/'))).toEqual([]);
  });

  it('has the taints that it was launched with, and is ours to end only if we launched it', () => {
    expect(node.spec.taints).toEqual([
      { key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' },
    ]);
    expect(node.metadata.finalizers).toEqual(['karpenter.sh/termination']);
    expect(machine({ isOurs: false }).metadata.finalizers).toBeUndefined();
  });

  it.each<[string, Partial<Instance>]>([
    ['has not joined', { registration: { ...REGISTRATION, status: 'REGISTERING' } }],
    ['was deregistered', { registration: { ...REGISTRATION, status: 'INACTIVE' } }],
    ['is still booting', { state: 'pending' }],
    ['is terminated', { state: 'terminated' }],
  ])('is none while the instance %s', (_, given) => {
    expect(nodeOfInstance({ ...INSTANCE, ...given }, T0)).toBeUndefined();
  });
});

describe('what an agent tells of its machine', () => {
  const node = machine();

  it('is no news when it is doubled, late, or changes nothing but its version', () => {
    expect(told(node, {})).toBeUndefined();
    expect(told(node, { version: 2, agentConnected: false })).toBeUndefined();
    expect(told(node, { version: 9 })).toBeUndefined();
    const older = { id: 'c0', registeredAtMs: T0 - 1, version: 99, agentConnected: false };
    expect(told(node, older)).toBeUndefined();
  });

  it('is no news of now when it is days old, though the table has not heard of it', () => {
    const lost = { version: 4, agentConnected: false };
    expect(told(node, lost, LATER, LATER + NEWS_MS)).toBeDefined();
    expect(told(node, lost, LATER, LATER + NEWS_MS + 1)).toBeUndefined();
  });

  it('starts the grace when the agent is lost, and ends it when it is back', () => {
    const lost = told(node, { version: 4, agentConnected: false });
    expect(lost && nodeControl(lost)).toMatchObject({ status: 'disconnected', sinceMs: LATER });
    const back = lost && told(lost, { version: 5 }, LATER + 5_000);
    expect(back && nodeControl(back).status).toBe('connected');
    // A machine that was deregistered may live: only EC2 says that it is gone.
    const out = told(node, { version: 4, status: 'INACTIVE' });
    expect(out && nodeControl(out).status).toBe('disconnected');
  });

  it('counts from a new registration on, whatever its version', () => {
    const anew = told(node, { id: 'c2', registeredAtMs: T0 + 1, version: 1, memoryMiB: 15_000 });
    expect(anew?.status.allocatable?.['memory']).toBe('15000Mi');
    expect(anew && told(anew, { version: 50, memoryMiB: 1 })).toBeUndefined();
  });

  it('keeps new pods away while ECS places nothing there', () => {
    const draining = told(node, { version: 4, status: 'DRAINING' });
    const keys = (n: Node | undefined) => n?.spec.taints?.map(({ key }) => key);
    expect(keys(draining)).toEqual(['nvidia.com/gpu', 'nullplane.io/ecs-draining']);
    expect(keys(draining && told(draining, { version: 5 }))).toEqual(['nvidia.com/gpu']);
  });

  it('leaves alone what people put on the node', () => {
    const { metadata } = node;
    const labels = { ...metadata.labels, rack: '7' };
    const edited: Node = { ...node, metadata: { ...metadata, labels }, spec: {} };
    const next = told(edited, { version: 4, attributes: { team: 'web' } });
    expect(next?.metadata.labels).toMatchObject({ rack: '7', team: 'web' });
    expect(next?.spec.taints).toBeUndefined();
  });

  it('means nothing for a node that is gone', () => {
    const message = { type: 'node', nodeName: ID, status: 'gone', atMs: T0 } as const;
    const gone = observeNode(node, message, T0);
    expect(gone && told(gone, { version: 4, agentConnected: false })).toBeUndefined();
  });

  it('is completed by what EC2 knows, which leaves what it does not know', () => {
    const { shape: _, ...bare } = INSTANCE;
    const unknown = machine({}, {});
    expect(observeInstance(unknown, bare, LATER, LATER)).toBeUndefined();
    const poor = nodeOfInstance(bare, T0);
    const rich = poor && observeInstance(poor, INSTANCE, LATER, LATER);
    expect(rich?.status.allocatable?.['pods']).toBe('3');
    expect(rich?.status.capacity).toMatchObject({ cpu: '4', pods: '3' });
  });
});

describe('labels and taints as attributes', () => {
  const taints = [
    { key: 'nvidia.com/gpu', effect: 'NoSchedule', value: 'true' },
    { key: 'spot', effect: 'NoExecute' },
  ] as const;

  it('come back as they went', () => {
    const attributes = attributesOf({ 'example.com/team': 'ml' }, taints);
    expect(labelsOfAttributes(attributes)).toEqual({ 'example.com/team': 'ml' });
    expect(taintsOfAttributes(attributes)).toEqual(taints);
  });

  it.each([
    ['an empty value', { a: '' }],
    ['a value that is too long', { a: 'x'.repeat(129) }],
    ["a name of ECS's own", { 'ecs.ami-id': 'x' }],
    ['too many', Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, 'x']))],
  ])('are refused with %s', (_, labels) => {
    expect(() => attributesOf(labels, [])).toThrow(RangeError);
  });

  it('are left out where somebody else wrote what is none', () => {
    const attributes = { 'nullplane.io/taint-0': 'Sometimes:a', 'not a label': 'x', ok: 'a b' };
    expect(labelsOfAttributes(attributes)).toEqual({});
    expect(taintsOfAttributes(attributes)).toEqual([]);
  });
});
