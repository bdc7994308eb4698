/**
 * What a run has come to, without what differs from run to run: uids, versions, times and the names
 * that are made of them. Two runs of one workload are to come to the same, whatever struck them
 * (Sieve, OSDI '22).
 */
import type { AnyObject } from '../../../shared/api/meta.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { podIsReady } from '../../../shared/core/pod/predicates.ts';
import type { Oracles } from './oracles.ts';

export interface EndState {
  /** A line for each sort of objects that are alike. */
  readonly lines: readonly string[];
  /** How many pods were created, and tasks started, on the way. */
  readonly pods: number;
  readonly launches: number;
}

/** What the controllers make beside, and nobody asked for. */
const LEFT_OUT = new Set(['events', 'nodeallocations.nullplane.io', 'leases.coordination.k8s.io']);

export function endStateOf(oracles: Oracles): EndState {
  const counts = new Map<string, number>();
  for (const [resource, object] of oracles.stored()) {
    if (LEFT_OUT.has(resource) || isOldRevision(resource, object)) continue;
    const line = lineOf(resource, object);
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const lines = [...counts].map(([line, count]) => `${count} ${line}`).sort();
  return { lines, pods: oracles.created('pods'), launches: oracles.launches };
}

/**
 * A revision that came and went while nobody looked leaves no ReplicaSet: what is controlled is the
 * present, not every step on the way.
 */
function isOldRevision(resource: string, { metadata, spec }: Described): boolean {
  const isControlled = (metadata.ownerReferences ?? []).some(({ controller }) => controller);
  return resource === 'replicasets.apps' && isControlled && spec?.replicas === 0;
}

type Described = AnyObject & { readonly spec?: { readonly replicas?: number } };

function lineOf(resource: string, object: AnyObject): string {
  const { namespace = '', name, labels, ownerReferences = [] } = object.metadata;
  const app = labels?.['app'] ?? '';
  const named = ownerReferences.length > 0 ? `of ${app}` : name;
  return `${resource} ${namespace}/${named}${detailOf(resource, object)}`;
}

function detailOf(resource: string, object: AnyObject): string {
  if (resource === 'pods') {
    const pod = object as unknown as Pod;
    const images = pod.spec.containers.map(({ image }) => image).join();
    return ` ${images} ${pod.status.phase} ${podIsReady(pod) ? 'ready' : 'not ready'}`;
  }
  const { replicas } = (object['spec'] ?? {}) as { readonly replicas?: number };
  return replicas === undefined ? '' : ` ${replicas}`;
}
