/**
 * Nodes from instances: an instance whose agent has joined the cluster is a node. The node's name
 * is the instance's id, so that one can be told from the other without asking anybody.
 *
 * Invariants:
 *  I1 A registration older than the one last seen changes nothing (S7).
 *  I2 What people put on a node (labels, taints, annotations) stays. Labels that the machine brings
 *     are its own; its taints are put on once, when the node is made, and may be taken off.
 *  I3 What is not known of an instance leaves what the node says of it as it is.
 */
import { sameJson } from '../../api/hash.ts';
import type { Instance, Registration } from '../../api/instance.ts';
import type { Labels } from '../../api/meta.ts';
import type { Taint } from '../../api/kinds/affinity.ts';
import type { Node } from '../../api/kinds/node.ts';
import { labelsOfAttributes, taintsOfAttributes } from '../../api/node-attributes.ts';
import type { RegistrationMessage } from '../../api/task.ts';
import { draftNode } from './draft.ts';
import { withGpuResources } from './gpus.ts';
import { NEWS_MS } from './observe.ts';
import { FEWEST_PODS, gpusOf, hasTrunk, machineLabels, podsOf, roomOf, sizeOf } from './machine.ts';
import {
  type NodeControl,
  nodeControl,
  TERMINATION_FINALIZER,
  withControl,
  withoutTaint,
  withTaint,
} from './state.ts';

/** Somebody told ECS to place nothing new on the machine; it would refuse our launches too. */
export const DRAINING_TAINT: Taint = { key: 'nullplane.io/ecs-draining', effect: 'NoSchedule' };

/** The draft of an instance's node; undefined while it has not joined, or no longer runs. */
export function nodeOfInstance(instance: Instance, nowMs: number): Node | undefined {
  const { registration, state } = instance;
  const hasJoined = registration?.status === 'ACTIVE' || registration?.status === 'DRAINING';
  if (!registration || !hasJoined || state !== 'running') return undefined;
  const drafted = draftNode(
    {
      name: instance.id,
      providerID: `aws:///${instance.zone}/${instance.id}`,
      labels: {
        'kubernetes.io/os': osOf(registration),
        'kubernetes.io/arch': archOf(registration),
      },
      capacity: {},
      allocatable: {},
      addresses: addressesOf(instance),
      containerRuntimeVersion: 'ecs://ec2',
      osImage: '',
    },
    nowMs,
  );
  const taints = taintsOfAttributes(registration.attributes);
  const finalizers = instance.isOurs ? [TERMINATION_FINALIZER] : [];
  const node: Node = {
    ...drafted,
    metadata: { ...drafted.metadata, ...(finalizers.length > 0 ? { finalizers } : {}) },
    spec: { ...drafted.spec, ...(taints.length > 0 ? { taints } : {}) },
  };
  return refreshed(withRegistration(node, registration, nowMs, nowMs), instance);
}

/** The node after a look at its instance; undefined when that is late or no news. */
export function observeInstance(
  node: Node,
  instance: Instance,
  atMs: number,
  nowMs: number,
): Node | undefined {
  const { registration } = instance;
  if (!registration || isLate(node, registration)) return undefined;
  return changed(node, refreshed(withRegistration(node, registration, atMs, nowMs), instance));
}

/** The node after what its agent told; undefined when that is late or no news. */
export function observeRegistration(
  node: Node,
  { registration, atMs }: RegistrationMessage,
  nowMs: number,
): Node | undefined {
  if (isLate(node, registration) || nowMs - atMs > NEWS_MS) return undefined;
  return changed(node, withRegistration(node, registration, atMs, nowMs));
}

function isLate(node: Node, { id, version, registeredAtMs }: Registration): boolean {
  const old = nodeControl(node);
  if (old.status === 'gone') return true;
  if (old.registrationId === id) return version < (old.version ?? 0);
  return registeredAtMs < (old.registeredAtMs ?? 0);
}

/** A version alone is not news. */
function changed(node: Node, next: Node): Node | undefined {
  const { version: _old, ...before } = nodeControl(node);
  const { version: _new, ...after } = nodeControl(next);
  return sameJson({ ...node, control: before }, { ...next, control: after }) ? undefined : next;
}

function withRegistration(
  node: Node,
  registration: Registration,
  atMs: number,
  nowMs: number,
): Node {
  const { id, registeredAtMs, version, status, attributes } = registration;
  const labels = { ...node.metadata.labels, ...labelsOfAttributes(attributes) };
  const isDraining = status === 'DRAINING';
  const tainted = isDraining
    ? withTaint(node, DRAINING_TAINT)
    : withoutTaint(node, DRAINING_TAINT.key);
  const old = nodeControl(node);
  const control: NodeControl = {
    ...old,
    ...connection(old, registration, atMs, nowMs),
    ...{ registrationId: id, registeredAtMs, version },
  };
  const next = {
    ...tainted,
    metadata: { ...node.metadata, labels },
    status: { ...node.status, ...offered(node, registration, labels) },
  };
  return withControl(next, control);
}

/** A machine that was deregistered is out of sight; only its end, told by EC2, makes it gone. */
function connection(
  old: NodeControl,
  { status, agentConnected }: Registration,
  atMs: number,
  nowMs: number,
): Pick<NodeControl, 'status' | 'atMs' | 'sinceMs'> {
  const isConnected = agentConnected && status !== 'INACTIVE';
  const next = isConnected ? 'connected' : 'disconnected';
  if (next === old.status) return {};
  return { status: next, atMs: Math.max(atMs, old.atMs ?? 0), sinceMs: nowMs };
}

/** What the agent offers to tasks is what pods may use. */
function offered(
  { status }: Node,
  registration: Registration,
  labels: Labels,
): Pick<Node['status'], 'capacity' | 'allocatable'> {
  const room = roomOf(registration, status.allocatable?.['pods'] ?? FEWEST_PODS);
  const allocatable = withGpuResources(room, labels);
  return { allocatable, capacity: { ...allocatable, ...shapeOf(status.capacity) } };
}

/** The part of the capacity that is the machine's type's, and not the agent's to say. */
function shapeOf(capacity: Node['status']['capacity']) {
  const { cpu, memory } = capacity ?? {};
  return { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
}

/** The node with what does not change while the instance lives. */
function refreshed(node: Node, instance: Instance): Node {
  const { type, shape, registration } = instance;
  const { capacity, allocatable } = node.status;
  const isTrunked = registration !== undefined && hasTrunk(registration);
  const pods = shape && podsOf(type, shape, isTrunked);
  const room = pods ? { pods: String(pods) } : {};
  const size = shape ? sizeOf(shape) : {};
  const labels = { ...node.metadata.labels, ...machineLabels(type, shape, instance) };
  // What each GPU has is known by the type.
  const gpus = registration ? withGpuResources(gpusOf(registration), labels) : {};
  return {
    ...node,
    metadata: { ...node.metadata, labels },
    status: {
      ...node.status,
      capacity: { ...capacity, ...room, ...size, ...gpus },
      allocatable: { ...allocatable, ...room, ...gpus },
    },
  };
}

function osOf({ attributes }: Registration): string {
  return attributes['ecs.os-type']?.toLowerCase() === 'windows' ? 'windows' : 'linux';
}

function archOf({ attributes }: Registration): string {
  return attributes['ecs.cpu-architecture'] === 'arm64' ? 'arm64' : 'amd64';
}

function addressesOf({ id, privateIp, privateDnsName }: Instance): Node['status']['addresses'] {
  return [
    ...(privateIp ? [{ type: 'InternalIP', address: privateIp }] : []),
    ...(privateDnsName ? [{ type: 'InternalDNS', address: privateDnsName }] : []),
    { type: 'Hostname', address: id },
  ];
}
