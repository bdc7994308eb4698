/**
 * The rules of placement once more, as slow and obvious as can be: one pod, one node, and all
 * placed pods looked at one by one. The engine is held to it.
 */
import type {
  LabelSelector,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from '../../../shared/api/kinds/affinity.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { matchesSelector } from '../../../shared/api/selectors.ts';
import { amountOf, podRequests } from '../../../shared/core/pod/requests.ts';

export interface Placed {
  readonly pod: Pod;
  readonly node: Node;
}

export interface World {
  readonly nodes: readonly Node[];
  readonly placed: readonly Placed[];
  readonly namespaces: { readonly [name: string]: { readonly [label: string]: string } };
}

export function feasible(pod: Pod, node: Node, world: World): boolean {
  return (
    !node.spec.unschedulable &&
    selected(pod, node) &&
    tolerated(pod, node) &&
    hasRoom(pod, node, world) &&
    portsFree(pod, node, world) &&
    spreads(pod, node, world) &&
    nearEnough(pod, node, world) &&
    farEnough(pod, node, world)
  );
}

export function hasRoom(pod: Pod, node: Node, { placed }: World): boolean {
  const there = placed.filter((p) => p.node === node).map((p) => podRequests(p.pod.spec));
  if (there.length + 1 > allocatable(node, 'pods')) return false;
  return Object.entries(podRequests(pod.spec)).every(([resource, amount]) => {
    const used = there.reduce((sum, requests) => sum + (requests[resource] ?? 0), 0);
    return amount === 0 || used + amount <= allocatable(node, resource);
  });
}

function allocatable(node: Node, resource: string): number {
  return amountOf(resource, node.status.allocatable?.[resource] ?? '0');
}

function selected(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const wanted = Object.entries(pod.spec.nodeSelector ?? {});
  return wanted.every(([key, value]) => labels[key] === value);
}

function tolerated(pod: Pod, node: Node): boolean {
  return (node.spec.taints ?? [])
    .filter(({ effect }) => effect !== 'PreferNoSchedule')
    .every((taint) => pod.spec.tolerations?.some(({ key }) => key === taint.key));
}

function portsFree(pod: Pod, node: Node, { placed }: World): boolean {
  const used = placed.filter((p) => p.node === node).flatMap((p) => ports(p.pod));
  return !ports(pod).some((port) => used.includes(port));
}

function ports(pod: Pod): number[] {
  return pod.spec.containers.flatMap((c) => (c.ports ?? []).flatMap((p) => p.hostPort ?? []));
}

function domain(node: Node, key: string): string | undefined {
  return node.metadata.labels?.[key];
}

function means(term: PodAffinityTerm, owner: Pod, other: Pod, { namespaces }: World): boolean {
  const ns = other.metadata.namespace ?? '';
  const inScope =
    term.namespaces || term.namespaceSelector
      ? term.namespaces?.includes(ns) || matchesSelector(term.namespaceSelector, namespaces[ns])
      : ns === owner.metadata.namespace;
  return Boolean(inScope) && matchesSelector(term.labelSelector, other.metadata.labels);
}

function nearEnough(pod: Pod, node: Node, world: World): boolean {
  const terms = pod.spec.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!terms) return true;
  if (!terms.every((t) => domain(node, t.topologyKey) !== undefined)) return false;
  const friends = world.placed.filter((p) => terms.every((t) => means(t, pod, p.pod, world)));
  const together = (t: PodAffinityTerm, p: Placed) =>
    domain(p.node, t.topologyKey) === domain(node, t.topologyKey);
  if (terms.every((t) => friends.some((p) => together(t, p)))) return true;
  const nobody = terms.every((t) => friends.every((p) => !domain(p.node, t.topologyKey)));
  return nobody && terms.every((t) => means(t, pod, pod, world));
}

function farEnough(pod: Pod, node: Node, world: World): boolean {
  return world.placed.every((p) => {
    const shares = (t: PodAffinityTerm) =>
      domain(node, t.topologyKey) !== undefined &&
      domain(node, t.topologyKey) === domain(p.node, t.topologyKey);
    return (
      !antiTerms(pod).some((t) => shares(t) && means(t, pod, p.pod, world)) &&
      !antiTerms(p.pod).some((t) => shares(t) && means(t, p.pod, pod, world))
    );
  });
}

function antiTerms(pod: Pod): readonly PodAffinityTerm[] {
  return pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

export function spreads(pod: Pod, node: Node, world: World): boolean {
  const all = pod.spec.topologySpreadConstraints ?? [];
  const hard = all.filter((c) => c.whenUnsatisfiable === 'DoNotSchedule');
  return hard.every((c) => {
    const inPlay = world.nodes.filter(
      (n) =>
        hard.every(({ topologyKey }) => domain(n, topologyKey) !== undefined) &&
        (c.nodeAffinityPolicy !== 'Honor' || selected(pod, n)) &&
        (c.nodeTaintsPolicy !== 'Honor' || tolerated(pod, n)),
    );
    const here = domain(node, c.topologyKey);
    if (here === undefined) return false;
    const domains = [...new Set(inPlay.map((n) => domain(n, c.topologyKey)))];
    const counts = domains.map((d) => count(pod, c, d, inPlay, world));
    const fewest = domains.length < (c.minDomains ?? 1) ? 0 : Math.min(...counts);
    const self = matchesSelector(c.labelSelector, pod.metadata.labels) ? 1 : 0;
    return count(pod, c, here, inPlay, world) + self - fewest <= c.maxSkew;
  });
}

function count(
  pod: Pod,
  { topologyKey, labelSelector }: TopologySpreadConstraint,
  value: string | undefined,
  inPlay: readonly Node[],
  { placed }: World,
): number {
  const counted = (other: Pod, selector: LabelSelector | undefined) =>
    other.metadata.namespace === pod.metadata.namespace &&
    matchesSelector(selector, other.metadata.labels);
  return placed.filter(
    (p) =>
      inPlay.includes(p.node) &&
      domain(p.node, topologyKey) === value &&
      counted(p.pod, labelSelector),
  ).length;
}
