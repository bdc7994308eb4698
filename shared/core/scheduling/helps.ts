/**
 * Which changes may make room for a waiting pod. Each change is named by what it could help with; a
 * plugin that refused a pod says what helps it (framework.ts). Status noise names nothing, and so
 * wakes nobody.
 */
import type { Change } from '../../api/change.ts';
import { isTrue } from '../../api/conditions.ts';
import { sameJson } from '../../api/hash.ts';
import type { NodeClaim } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { AnyObject } from '../../api/meta.ts';
import { claimControl, CLAIMS, POOLS } from '../capacity/claim/state.ts';
import { nodeControl } from '../node/state.ts';
import { isTerminal } from '../pod/predicates.ts';
import { POD_GROUPS } from '../podgroup/plan.ts';
import type { Enabled, Help } from './framework.ts';
import { isPending } from './pending.ts';

/**
 * What a change may help with. Where the state before is not known, it is taken to have been
 * another.
 */
export function helpsOf(change: Change): readonly Help[] {
  const { type, object, previous } = change;
  switch (change.resource) {
    case 'pods':
      return podHelps(type, asPod(object), previous && asPod(previous));
    case 'nodes':
      return nodeHelps(type, asNode(object), previous && asNode(previous));
    case 'namespaces': {
      const relabelled = !sameJson(labelsOf(object), previous && labelsOf(previous));
      return type === 'put' && relabelled ? ['namespaceChanged'] : [];
    }
    case POOLS:
      return poolHelps(type, object, previous);
    case CLAIMS:
      return claimHelps(type, object, previous);
    case POD_GROUPS:
      return sameJson(object['spec'], previous?.['spec']) ? [] : ['gangChanged'];
    default:
      return [];
  }
}

/** What is no lasting plugin's to ask for: machines, gangs and shortages are the pass's own. */
const ALWAYS: readonly Help[] = ['machinesChanged', 'gangChanged', 'capacityBack'];

/** Whether a plugin that may have refused a pod is helped by the change. */
export function mayHelp(change: Change, plugins: readonly Enabled[]): boolean {
  const helps = helpsOf(change);
  if (helps.length === 0) return false;
  if (helps.some((help) => ALWAYS.includes(help))) return true;
  return plugins.some(({ plugin }) => plugin.helpedBy.some((help) => helps.includes(help)));
}

function podHelps(type: Change['type'], pod: Pod, previous: Pod | undefined): Help[] {
  const held = previous ? holdsRoom(previous) : Boolean(pod.spec.nodeName);
  if (type === 'delete') return held ? ['podGone'] : [];
  if (!holdsRoom(pod)) return held ? ['podGone'] : pendingHelps(pod, previous);
  if (isPending(pod)) return pendingHelps(pod, previous);
  const helps: Help[] = [];
  if (previous && !holdsRoom(previous)) helps.push('podBound');
  if (previous && holdsRoom(previous) && !sameJson(labelsOf(pod), labelsOf(previous))) {
    helps.push('podRelabelled');
  }
  // Spread stops counting a pod that is on its way out.
  const ends = pod.metadata.deletionTimestamp !== undefined;
  if (ends && previous?.metadata.deletionTimestamp === undefined) helps.push('podRelabelled');
  return helps;
}

function pendingHelps(pod: Pod, previous: Pod | undefined): Help[] {
  if (!isPending(pod)) return [];
  const asksTheSame =
    previous !== undefined &&
    isPending(previous) &&
    sameJson(pod.spec, previous.spec) &&
    sameJson(labelsOf(pod), labelsOf(previous));
  return asksTheSame ? [] : ['podPending'];
}

function holdsRoom(pod: Pod): boolean {
  return Boolean(pod.spec.nodeName) && !isTerminal(pod);
}

function nodeHelps(type: Change['type'], node: Node, previous: Node | undefined): Help[] {
  if (type === 'delete') return ['nodeRemoved'];
  if (!previous) return ['nodeAdded'];
  const isBack = isMarkedShort(previous) && !isMarkedShort(node);
  const back: Help[] = isBack ? ['capacityBack'] : [];
  return sameJson(offerOf(node), offerOf(previous)) ? back : [...back, 'nodeChanged'];
}

function isMarkedShort(node: Node): boolean {
  return nodeControl(node).shortUntilMs !== undefined;
}

/** What placement looks at of a node. */
export function offerOf({ metadata, spec, status }: Node): unknown {
  return [metadata.labels, spec.taints, spec.unschedulable, status.allocatable];
}

/** Pools that are written for their status help nobody; nor do shortages: they are for less. */
function poolHelps(type: Change['type'], pool: AnyObject, previous: AnyObject | undefined): Help[] {
  if (type === 'delete') return [];
  const spec = (of: AnyObject | undefined) => [of?.['spec'], of?.metadata.deletionTimestamp];
  return sameJson(spec(pool), spec(previous)) ? [] : ['machinesChanged'];
}

/** Claims that go, and what consolidation looks at of them. */
function claimHelps(type: Change['type'], claim: AnyObject, previous?: AnyObject): Help[] {
  if (type === 'delete') return ['machinesChanged'];
  const seen = (of: AnyObject | undefined) => {
    if (!of) return undefined;
    const one = of as unknown as NodeClaim;
    const told = ['Initialized', 'Drifted'].map((type) => isTrue(one.status.conditions, type));
    return [...told, one.metadata.deletionTimestamp, claimControl(one)?.disruption];
  };
  return sameJson(seen(claim), seen(previous)) ? [] : ['machinesChanged'];
}

function labelsOf({ metadata }: { readonly metadata: AnyObject['metadata'] }): unknown {
  return metadata.labels ?? {};
}

const asPod = (object: AnyObject) => object as unknown as Pod;
const asNode = (object: AnyObject) => object as unknown as Node;
