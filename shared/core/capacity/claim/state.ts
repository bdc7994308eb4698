/**
 * What a NodeClaim is about: a machine that is to be launched, is on its way, or has become a node.
 * Owns what the control plane remembers of a claim, and the node that it is going to be.
 */
import { isTrue } from '../../../api/conditions.ts';
import type { CapacityType } from '../../../api/instance.ts';
import type { Taint } from '../../../api/kinds/affinity.ts';
import type { NodeClaim } from '../../../api/kinds/karpenter.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { KubeObject, Labels } from '../../../api/meta.ts';
import { draftMeta } from '../../../api/meta.ts';
import { withGpuOffer } from '../../node/gpus.ts';
import type { Requests } from '../../pod/requests.ts';

export const CLAIMS = 'nodeclaims.karpenter.sh';
export const POOLS = 'nodepools.karpenter.sh';

/** The node's label, and the machine's tag, that name the claim. */
export const CLAIM_LABEL = 'karpenter.sh/nodeclaim';

export interface ClaimControl {
  /** What may be launched: any of the types in any of the zones. The cheapest type comes first. */
  readonly types: readonly string[];
  readonly zones: readonly string[];
  readonly capacityType: CapacityType;
  /** What the cheapest costs an hour, in dollars. */
  readonly usdPerHour: number;
  /** What pods may use, and what counts for limits, of the type that was planned or launched. */
  readonly room: Requests;
  readonly capacity: Requests;
  /** Labels of the node, those of the type that was planned or launched too. */
  readonly labels: Labels;
  /** When the launch was intended; absent before. */
  readonly intentAtMs?: number;
  /** What was launched. */
  readonly instanceId?: string;
  readonly launchedType?: string;
  readonly launchedZone?: string;
  readonly launchedAtMs?: number;
  /** It is to go as soon as others stand in for it. */
  readonly disruption?: Disruption;
  /** The claims that go when this one is set up. */
  readonly replaces?: readonly string[];
  /** Which pods its node was last seen with, as a hash, and since when it has had them. */
  readonly seen?: Seen;
}

/** The condition that tells of a disruption, as Karpenter's. */
export const DISRUPTION_REASON = 'DisruptionReason';

/** Why a node goes by choice; Karpenter's words. */
export type DisruptionReason = 'Empty' | 'Drifted' | 'Underutilized';

export interface Disruption {
  readonly reason: DisruptionReason;
  readonly atMs: number;
  /** The claims that have to be set up first. */
  readonly replacements: readonly string[];
}

export interface Seen {
  readonly pods: string;
  readonly sinceMs: number;
}

/** Claims that were made by hand, or restored without their memory, have none. */
export function claimControl(claim: NodeClaim): ClaimControl | undefined {
  const { control }: KubeObject = claim;
  return control as ClaimControl | undefined;
}

export function withClaimControl(claim: NodeClaim, control: ClaimControl): NodeClaim {
  const next: NodeClaim & { readonly control: ClaimControl } = { ...claim, control };
  return next;
}

/** The claim has become a node, which may be gone again. */
export function isRegistered(claim: NodeClaim): boolean {
  return isTrue(claim.status.conditions, 'Registered');
}

/** The claim's node has been set up: it has all that pods were promised. */
export function isInitialized({ status }: NodeClaim): boolean {
  return isTrue(status.conditions, 'Initialized');
}

/** The claim is on its way out, or is to be. */
export function isEnding(claim: NodeClaim): boolean {
  const isDeleted = claim.metadata.deletionTimestamp !== undefined;
  return isDeleted || claimControl(claim)?.disruption !== undefined;
}

/** Of the taints that a node starts with, the first that it still has. */
export function startupTaintLeft({ spec }: NodeClaim, node: Node): Taint | undefined {
  return spec.startupTaints?.find((taint) =>
    node.spec.taints?.some(({ key, effect }) => key === taint.key && effect === taint.effect),
  );
}

/**
 * The nodes that claims are going to be, for passes that plan with them: of machines that have not
 * joined, and of those that have and are being set up. In the order of their names.
 */
export function comingNodes(claims: readonly NodeClaim[], nodes: readonly Node[]): readonly Node[] {
  if (claims.length === 0) return [];
  const byClaim = new Map(nodes.map((node) => [node.metadata.labels?.[CLAIM_LABEL], node]));
  const coming = claims.filter((claim) => {
    if (claim.metadata.deletionTimestamp !== undefined) return false;
    const node = byClaim.get(claim.metadata.name);
    return node ? startupTaintLeft(claim, node) !== undefined : !isRegistered(claim);
  });
  return coming
    .flatMap((claim) => comingNode(claim) ?? [])
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function comingNode(claim: NodeClaim): Node | undefined {
  const control = claimControl(claim);
  if (!control) return undefined;
  const { name, uid } = claim.metadata;
  const { taints = [] } = claim.spec;
  const amount = ([resource, value]: readonly [string, number]) =>
    [resource, resource === 'cpu' ? `${value}m` : String(value)] as const;
  const room = withGpuOffer(control.room, control.labels);
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: draftMeta({
      name,
      uid,
      labels: { ...control.labels, 'kubernetes.io/hostname': name },
    }),
    spec: taints.length > 0 ? { taints } : {},
    status: { allocatable: Object.fromEntries(Object.entries(room).map(amount)) },
  };
}
