/** Nodes and node ledgers as kubectl shows them. */
import { findCondition } from '../../../api/conditions.ts';
import { GPU } from '../../../api/gpus.ts';
import type { Node, NodeAllocation } from '../../../api/kinds/node.ts';
import { ageColumn, column, joined, nameColumn, orNone, printer, wide } from './columns.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

function statusWords(node: Node): string {
  const ready = findCondition(node.status.conditions, 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec.unschedulable ? `${word},SchedulingDisabled` : word;
}

function roles(node: Node): string {
  const labels = Object.entries(node.metadata.labels ?? {});
  const found = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === ROLE_LABEL && value ? [value] : [];
  });
  return joined([...new Set(found)].filter(Boolean).sort());
}

function info(node: Node, field: string): string | undefined {
  const value = (node.status.nodeInfo as { [field: string]: unknown } | undefined)?.[field];
  return typeof value === 'string' ? value : undefined;
}

const address = (node: Node, type: string) =>
  orNone(node.status.addresses?.find((a) => a.type === type)?.address);

const known = (text: string | undefined) => text || '<unknown>';

export const nodePrinter = printer<Node>(
  nameColumn,
  column('Status', 'Whether the node takes pods.', statusWords),
  column('Roles', 'The roles of the node.', roles),
  ageColumn,
  column('Version', 'The version of what runs the pods.', (n) => info(n, 'kubeletVersion') ?? ''),
  wide(column('Internal-IP', 'The internal address.', (n) => address(n, 'InternalIP'))),
  wide(column('External-IP', 'The external address.', (n) => address(n, 'ExternalIP'))),
  wide(column('OS-Image', 'The operating system.', (n) => known(info(n, 'osImage')))),
  wide(column('Kernel-Version', 'The kernel.', (n) => known(info(n, 'kernelVersion')))),
  wide(
    column('Container-Runtime', 'The runtime.', (n) => known(info(n, 'containerRuntimeVersion'))),
  ),
);

const held = (ledger: NodeAllocation, resource: string) =>
  ledger.allocations.reduce((sum, { requests }) => sum + (requests[resource] ?? 0), 0);

/** Where the runtime chooses devices, only their number is known. */
function heldGpus({ allocations }: NodeAllocation): number {
  const known = new Set<string>();
  let others = 0;
  for (const { devices, requests } of allocations) {
    if (!devices) others += requests[GPU] ?? 0;
    const names = Object.values(devices ?? {}).flatMap((text) => text.split(','));
    for (const name of names) known.add(name.split(':')[0] ?? name);
  }
  return known.size + others;
}

export const nodeAllocationPrinter = printer<NodeAllocation>(
  nameColumn,
  column('Pods', 'How many pods hold something.', (l) => l.allocations.length, 'integer'),
  column('CPU', 'Held, in millicores.', (ledger) => `${held(ledger, 'cpu')}m`),
  column('Memory', 'Held, in MiB.', (ledger) => {
    return `${Math.ceil(held(ledger, 'memory') / (1024 * 1024))}Mi`;
  }),
  column('GPU', 'Devices that are held, in whole or in part.', heldGpus, 'integer'),
  ageColumn,
);
