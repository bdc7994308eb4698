/** The node claim controller: woken by claims, by their nodes, and by what their pools ask for. */
import { type Change, keyOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { NodeClaim, NodePool } from '../../api/kinds/karpenter.ts';
import type { Node } from '../../api/kinds/node.ts';
import type { AnyObject, KubeObject, ObjectKey } from '../../api/meta.ts';
import { NODE_POOL_LABEL } from '../../api/node-labels.ts';
import { type ClaimSnapshot, planClaim } from '../../core/capacity/claim/plan.ts';
import { CLAIM_LABEL, claimControl, CLAIMS, POOLS } from '../../core/capacity/claim/state.ts';
import { nodeControl } from '../../core/node/state.ts';
import type { Controller, Reader } from '../controller.ts';
import { listAll } from '../list-all.ts';

export const nodeClaimController: Controller<ClaimSnapshot> = {
  name: 'nodeclaim',
  resource: CLAIMS,
  wakes,
  snapshot,
  plan: planClaim,
};

async function wakes(change: Change, read: Reader): Promise<readonly ObjectKey[]> {
  const { type, resource, object, previous } = change;
  if (resource === CLAIMS) {
    const replaced = claimControl(object as unknown as NodeClaim)?.replaces ?? [];
    return [...(type === 'put' ? [object.metadata.name] : []), ...replaced].map(claimKey);
  }
  if (resource === 'nodes') {
    const name = object.metadata.labels?.[CLAIM_LABEL];
    const isNews = !previous || !sameJson(seenOf(object), seenOf(previous));
    return name === undefined || !isNews ? [] : [claimKey(name)];
  }
  if (resource !== POOLS || type !== 'put') return [];
  if (previous && sameJson(templateOf(object), templateOf(previous))) return [];
  const claims = await listAll<NodeClaim>(read, { resource: CLAIMS });
  return claims.filter((claim) => isOf(claim, object)).map((claim) => keyOf(CLAIMS, claim));
}

function claimKey(name: string): ObjectKey {
  return { resource: CLAIMS, namespace: '', name };
}

function isOf({ metadata }: NodeClaim, pool: AnyObject): boolean {
  return metadata.labels?.[NODE_POOL_LABEL] === pool.metadata.name;
}

const templateOf = (object: AnyObject) => (object as unknown as NodePool).spec.template;

/** What a claim looks at of its node. */
function seenOf(object: AnyObject): unknown {
  const node = object as unknown as Node;
  const { labels, annotations, deletionTimestamp } = node.metadata;
  const { conditions, allocatable, capacity } = node.status;
  const ready = conditions?.map(({ type, status }) => [type, status]);
  const isGone = nodeControl(node).status === 'gone';
  return [
    labels,
    annotations,
    deletionTimestamp,
    node.spec.taints,
    ready,
    allocatable,
    capacity,
    isGone,
  ];
}

async function snapshot(key: ObjectKey, read: Reader): Promise<ClaimSnapshot | undefined> {
  const claim = await read.get<NodeClaim>(key);
  if (!claim) return undefined;
  const poolName = claim.metadata.labels?.[NODE_POOL_LABEL];
  const pool = await find<NodePool>(POOLS, poolName, read);
  const { instanceId, disruption } = claimControl(claim) ?? {};
  const node = await find<Node>('nodes', instanceId, read);
  const names = disruption?.replacements ?? [];
  const found = await Promise.all(names.map((name) => read.get<NodeClaim>(claimKey(name))));
  const replacements = found.filter((one) => one !== undefined);
  return { claim, replacements, ...(pool ? { pool } : {}), ...(node ? { node } : {}) };
}

async function find<T extends KubeObject>(
  resource: string,
  name: string | undefined,
  read: Reader,
): Promise<T | undefined> {
  return name === undefined ? undefined : read.get<T>({ resource, namespace: '', name });
}
