/** Which printer shows which resource; the rest are shown by name and age. */
import type { ResourceName } from '../../../api/meta.ts';
import type { Printer } from './columns.ts';
import {
  configMapPrinter,
  defaultPrinter,
  endpointSlicePrinter,
  eventPrinter,
  namespacePrinter,
  secretPrinter,
  serviceAccountPrinter,
  servicePrinter,
} from './core.ts';
import { nodeClaimPrinter, nodePoolPrinter } from './karpenter.ts';
import { nodeAllocationPrinter, nodePrinter } from './node.ts';
import { podPrinter } from './pod.ts';
import { podDisruptionBudgetPrinter } from './policy.ts';
import { podGroupPrinter, priorityClassPrinter } from './scheduling.ts';
import { deploymentPrinter, replicaSetPrinter } from './workloads.ts';

const PRINTERS: ReadonlyMap<ResourceName, Printer> = new Map([
  ['configmaps', configMapPrinter],
  ['deployments.apps', deploymentPrinter],
  ['endpointslices.discovery.k8s.io', endpointSlicePrinter],
  ['events', eventPrinter],
  ['namespaces', namespacePrinter],
  ['nodeallocations.nullplane.io', nodeAllocationPrinter],
  ['nodeclaims.karpenter.sh', nodeClaimPrinter],
  ['nodepools.karpenter.sh', nodePoolPrinter],
  ['nodes', nodePrinter],
  ['poddisruptionbudgets.policy', podDisruptionBudgetPrinter],
  ['podgroups.scheduling.x-k8s.io', podGroupPrinter],
  ['pods', podPrinter],
  ['priorityclasses.scheduling.k8s.io', priorityClassPrinter],
  ['replicasets.apps', replicaSetPrinter],
  ['secrets', secretPrinter],
  ['serviceaccounts', serviceAccountPrinter],
  ['services', servicePrinter],
]);

export function printerOf(resource: ResourceName): Printer {
  return PRINTERS.get(resource) ?? defaultPrinter;
}
