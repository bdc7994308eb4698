/** The nodes of an installation in which nothing runs: Fargate's, and machines that are given. */
import type { Node } from '../shared/api/kinds/node.ts';
import {
  type GroupMember,
  membersOf,
  type NodeGroup,
  parseNodeGroups,
} from '../shared/core/capacity/catalogue/node-groups.ts';
import { allocatableOf, capacityOf, labelsOf } from '../shared/core/capacity/catalogue/nodes.ts';
import { draftNode } from '../shared/core/node/draft.ts';
import { withGpuResources } from '../shared/core/node/gpus.ts';
import { virtualNodes } from '../shared/core/node/virtual-nodes.ts';
import { UsageError } from './io.ts';

const PROVIDER = 'planned';
const RUNTIME = { containerRuntimeVersion: 'nullplane://planned', osImage: 'planned' };

export interface NodesOptions {
  /** Such as `2xg5.12xlarge,10xm7i.xlarge`. */
  readonly nodes: string | undefined;
  readonly region: string;
  readonly zones: readonly string[];
  readonly awsvpcTrunking: boolean;
}

export function plannedNodes(
  options: NodesOptions,
  withFargate: boolean,
  nowMs: number,
): readonly Node[] {
  const place = { zone: options.region, provider: PROVIDER, runtime: RUNTIME };
  const fargate = withFargate ? virtualNodes(place, nowMs) : [];
  const machines = membersOf(groups(options.nodes)).map((member) => nodeOf(member, options, nowMs));
  return [...fargate, ...machines].map((node) => {
    const uid = `node-${node.metadata.name}`;
    return { ...node, metadata: { ...node.metadata, uid, resourceVersion: '1' } };
  });
}

function groups(text: string | undefined): readonly NodeGroup[] {
  try {
    return text === undefined ? [] : parseNodeGroups(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function nodeOf(member: GroupMember, options: NodesOptions, nowMs: number): Node {
  const { zones } = options;
  const { type, name, index } = member;
  const zone = zones[index % zones.length] ?? options.region;
  const labels = { ...labelsOf(type, { zone, capacityType: 'on-demand' }), ...member.labels };
  const draft = {
    ...{ name, providerID: `${PROVIDER}:///${name}`, ...RUNTIME },
    labels,
    capacity: withGpuResources(capacityOf(type, options), labels),
    allocatable: withGpuResources(allocatableOf(type, options), labels),
  };
  return draftNode(draft, nowMs);
}
