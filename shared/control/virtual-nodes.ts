/** Fargate's two nodes in the store of an installation on AWS. */
import { virtualNodes } from '../core/node/virtual-nodes.ts';
import type { Effects } from './effects.ts';
import { createOnce } from './fold-node.ts';

/**
 * Makes those that are missing; idempotent, and safe to run in several places at once. A task may
 * run in any of the installation's subnets, so that the nodes' zone is the whole region.
 */
export async function ensureVirtualNodes(effects: Effects, region: string): Promise<void> {
  const runtime = { containerRuntimeVersion: 'ecs://fargate', osImage: 'AWS Fargate' };
  const place = { zone: region, provider: 'aws', runtime };
  for (const node of virtualNodes(place, effects.clock.nowMs())) await createOnce(node, effects);
}
