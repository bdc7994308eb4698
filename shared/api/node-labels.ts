/**
 * The labels by which nodes are chosen: those that every node of a machine has, and those that
 * nobody but the system sets. Owns the lists; what a requirement on a label means is
 * requirement.ts. Sources: Kubernetes' well-known labels; Karpenter's core and AWS provider
 * (labels.go).
 */
import { isGpuLabel } from './gpus.ts';
import type { Labels } from './meta.ts';

export const NODE_POOL_LABEL = 'karpenter.sh/nodepool';
export const INSTANCE_TYPE_LABEL = 'node.kubernetes.io/instance-type';

const AWS = 'karpenter.k8s.aws/instance-';

/** Known of a machine before it is launched: pods and pools narrow them down. */
export const WELL_KNOWN_LABELS: ReadonlySet<string> = new Set([
  NODE_POOL_LABEL,
  INSTANCE_TYPE_LABEL,
  'karpenter.sh/capacity-type',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.k8s.aws/zone-id',
  'node.kubernetes.io/windows-build',
  `${AWS}accelerator-count`,
  `${AWS}accelerator-manufacturer`,
  `${AWS}accelerator-name`,
  `${AWS}category`,
  `${AWS}cpu`,
  `${AWS}cpu-manufacturer`,
  `${AWS}cpu-sustained-clock-speed-mhz`,
  `${AWS}ebs-bandwidth`,
  `${AWS}encryption-in-transit-supported`,
  `${AWS}family`,
  `${AWS}generation`,
  `${AWS}gpu-count`,
  `${AWS}gpu-manufacturer`,
  `${AWS}gpu-memory`,
  `${AWS}gpu-name`,
  `${AWS}hypervisor`,
  `${AWS}local-nvme`,
  `${AWS}memory`,
  `${AWS}network-bandwidth`,
  `${AWS}size`,
]);

/** Names that labels had in earlier versions of Kubernetes. Pools may use them; nodes have none. */
const EARLIER_NAMES: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'kubernetes.io/arch'],
  ['beta.kubernetes.io/instance-type', INSTANCE_TYPE_LABEL],
  ['beta.kubernetes.io/os', 'kubernetes.io/os'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
]);

/** The label under the name that nodes have it by. */
export function presentName(label: string): string {
  return EARLIER_NAMES.get(label) ?? label;
}

/**
 * The cell of a node, by its pool's template: what one pass of the scheduler places on. Namespaces
 * have it for their pods.
 */
export const CELL_LABEL = 'nullplane.io/cell';

/** What a nodeSelector asks of its pod's cell's machines, and of Fargate, which has no label. */
export function withoutCell(nodeSelector: Labels | undefined): Labels | undefined {
  if (nodeSelector?.[CELL_LABEL] === undefined) return nodeSelector;
  const { [CELL_LABEL]: _, ...rest } = nodeSelector;
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/** Domains whose labels are the system's to set, but for those that are well known. */
const RESTRICTED_DOMAINS = [
  'kubernetes.io',
  'k8s.io',
  'karpenter.sh',
  'karpenter.k8s.aws',
  'nullplane.io',
] as const;

/** Domains within those that are everybody's. */
const OPEN_DOMAINS = [
  'kops.k8s.io',
  'node.kubernetes.io',
  'node-restriction.kubernetes.io',
] as const;

/** Each node's own: nobody chooses them for the nodes of a pool. */
const RESTRICTED_LABELS: ReadonlySet<string> = new Set([NODE_POOL_LABEL, 'kubernetes.io/hostname']);

/** Why a pool may not speak of the label; undefined when it may. Karpenter's words. */
export function restriction(label: string): string | undefined {
  if (RESTRICTED_LABELS.has(label)) return `label ${JSON.stringify(label)} is restricted`;
  if (WELL_KNOWN_LABELS.has(presentName(label)) || isGpuLabel(label)) return undefined;
  const slash = label.indexOf('/');
  const domain = slash < 0 ? '' : label.slice(0, slash);
  if (OPEN_DOMAINS.some((open) => isWithin(domain, open))) return undefined;
  const restricted = RESTRICTED_DOMAINS.find((one) => isWithin(domain, one));
  return restricted && `label domain ${JSON.stringify(restricted)} is restricted`;
}

function isWithin(domain: string, other: string): boolean {
  return domain === other || domain.endsWith(`.${other}`);
}
