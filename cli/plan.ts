/**
 * `nullplane plan`: where manifests would go and what they would cost an hour, before anything
 * runs. The same admission, controllers and scheduler decide that would decide afterwards.
 */
import { parseArgs } from 'node:util';
import type { Namespace } from '../shared/api/kinds/core.ts';
import type { NodePool } from '../shared/api/kinds/karpenter.ts';
import type { Node } from '../shared/api/kinds/node.ts';
import type { Pod } from '../shared/api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../shared/api/kinds/policy.ts';
import type { PodGroup, PriorityClass } from '../shared/api/kinds/scheduling.ts';
import type { AnyObject } from '../shared/api/meta.ts';
import { machineTypes } from '../shared/core/capacity/catalogue/machine-types.ts';
import { POOLS } from '../shared/core/capacity/claim/state.ts';
import { BUDGETS } from '../shared/core/disruption/budgets.ts';
import { billOf } from '../shared/core/planning/bill.ts';
import { expanded, type Workload } from '../shared/core/planning/expand.ts';
import { simulated } from '../shared/core/planning/simulate.ts';
import { POD_GROUPS } from '../shared/core/podgroup/plan.ts';
import { isPending } from '../shared/core/scheduling/pending.ts';
import type { ClusterSnapshot } from '../shared/core/scheduling/snapshot.ts';
import { PRIORITY_CLASSES } from '../shared/control/priority-classes.ts';
import { admitManifest } from '../shared/control/apiserver/offline.ts';
import { clusterAccess, ClusterReader } from './cluster.ts';
import { type Io, UsageError } from './io.ts';
import { type Manifest, readManifests } from './manifests.ts';
import { type Planned, planJson, planText } from './plan-text.ts';
import { plannedNodes } from './planned-nodes.ts';

/** As many as the largest bench; a pass over them takes seconds. */
const MAX_PODS = 50_000;
const DEFAULT_REGION = 'us-east-1';
const TEXT = { type: 'string' } as const;

/** 0: all pods have a place. 1: some have none, or a manifest is wrong. */
export async function planCommand(args: readonly string[], io: Io): Promise<number> {
  const options = planOptions(args);
  const { namespace, nowMs } = { namespace: options.namespace, nowMs: io.nowMs };
  const { manifests, errors } = readManifests(options.paths, { namespace, nowMs });
  for (const { at, warnings } of manifests) {
    for (const warning of warnings) io.tell(`Warning: ${at}: ${warning}\n`);
  }
  for (const error of errors) io.tell(`${error}\n`);
  if (errors.length > 0) return 1;
  const there = options.against ? await read(options, io) : EMPTY;
  const given = gathered(manifests, there, options, nowMs);
  const { workloads, problems, unplanned } = podsOf(manifests, given, nowMs);
  for (const problem of problems) io.tell(`${problem}\n`);
  if (problems.length > 0) return 1;
  const pods = workloads.flatMap((workload) => workload.pods);
  if (pods.length > MAX_PODS) throw new UsageError(`${pods.length} pods are more than ${MAX_PODS}`);
  const types = given.pools.length > 0 ? machineTypes(options) : [];
  const snapshot = { ...given, pods: [...given.pods, ...pods] };
  const end = simulated(snapshot, types, nowMs);
  const waiting = given.pods.filter(isPending);
  const all = waiting.length > 0 ? [...workloads, waitingAlready(waiting)] : workloads;
  const planned: Planned = { bill: billOf(all, end), end, workloads: all, unplanned };
  io.print(options.output === 'json' ? planJson(planned) : planText(planned));
  const placed = new Set(
    end.pods.flatMap(({ metadata, spec }) => (spec.nodeName ? metadata.uid : [])),
  );
  return pods.every(({ metadata }) => placed.has(metadata.uid)) ? 0 : 1;
}

/** What is launched may be for them too. */
function waitingAlready(pods: readonly Pod[]): Workload {
  return { name: '(waiting already)', namespace: 'default', pods };
}

interface PlanOptions {
  readonly paths: readonly string[];
  readonly namespace: string;
  readonly nodes: string | undefined;
  readonly defaultPool: boolean;
  readonly against: string | undefined;
  readonly context: string | undefined;
  readonly output: string;
  readonly region: string;
  readonly zones: readonly string[];
  readonly awsvpcTrunking: boolean;
}

function planOptions(args: readonly string[]): PlanOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      filename: { type: 'string', short: 'f', multiple: true },
      namespace: { type: 'string', short: 'n', default: 'default' },
      output: { type: 'string', short: 'o', default: 'table' },
      region: { type: 'string', default: DEFAULT_REGION },
      'default-pool': { type: 'boolean', default: false },
      trunking: { type: 'boolean', default: false },
      ...{ nodes: TEXT, against: TEXT, context: TEXT, zones: TEXT },
    },
  });
  const { filename: paths = [], output, region, nodes, against, context } = values;
  if (paths.length === 0) throw new UsageError('which manifests? Give -f FILE or -f FOLDER');
  if (output !== 'table' && output !== 'json') {
    throw new UsageError(`-o: "${output}" is neither table nor json`);
  }
  if (context !== undefined && against === undefined) {
    throw new UsageError('--context is one of --against KUBECONFIG');
  }
  const zones = values.zones?.split(',') ?? ['a', 'b', 'c'].map((letter) => region + letter);
  const { namespace, 'default-pool': defaultPool, trunking: awsvpcTrunking } = values;
  return {
    ...{ paths, namespace, nodes, defaultPool, against, context, output, region, zones },
    awsvpcTrunking,
  };
}

/** What is there already. */
interface There {
  readonly objects: ReadonlyMap<string, readonly AnyObject[]>;
}

const EMPTY: There = { objects: new Map() };
const RESOURCES_READ = [
  ...['nodes', 'namespaces', 'pods', POOLS, POD_GROUPS, BUDGETS, PRIORITY_CLASSES],
];

async function read({ against = '', context }: PlanOptions, io: Io): Promise<There> {
  const reader = new ClusterReader(clusterAccess(against, context, io));
  const lists = RESOURCES_READ.map(async (name) => [name, await reader.list(name)] as const);
  return { objects: new Map(await Promise.all(lists)) };
}

type Given = Required<ClusterSnapshot> & { readonly classes: readonly PriorityClass[] };

/** Manifests take the place of what has their name. */
function gathered(
  manifests: readonly Manifest[],
  { objects }: There,
  options: PlanOptions,
  nowMs: number,
): Given {
  const all = <T>(resource: string): readonly T[] => {
    const given = manifests.flatMap(({ type, object }) => (type.name === resource ? object : []));
    const isGiven = ({ metadata }: AnyObject) =>
      given.some(
        (one) =>
          one.metadata.name === metadata.name && one.metadata.namespace === metadata.namespace,
      );
    const kept = (objects.get(resource) ?? []).filter((object) => !isGiven(object));
    return [...kept, ...given] as readonly unknown[] as readonly T[];
  };
  const nodes = objects.get('nodes') as readonly unknown[] | undefined;
  const pools = all<NodePool>(POOLS);
  return {
    nodes: [...((nodes ?? []) as readonly Node[]), ...plannedNodes(options, !nodes, nowMs)],
    namespaces: all<Namespace>('namespaces'),
    pods: ((objects.get('pods') ?? []) as readonly unknown[] as readonly Pod[]).map(launched),
    pools: options.defaultPool ? [...pools, defaultPool(nowMs)] : pools,
    groups: all<PodGroup>(POD_GROUPS),
    budgets: all<PodDisruptionBudget>(BUDGETS),
    classes: all<PriorityClass>(PRIORITY_CLASSES),
    ...{ claims: [], ledgers: [] },
  };
}

/** Whether a pod was let in on its node is kept out of sight: who has been scheduled, was. */
function launched(pod: Pod): Pod {
  const scheduled = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
  return scheduled?.status === 'True' ? { ...pod, control: { attempt: 1 } } : pod;
}

/** Any machine of EC2's, on demand or Spot. */
function defaultPool(nowMs: number): NodePool {
  const value = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'default' },
    spec: { template: { spec: { requirements: [EITHER_CAPACITY] } } },
  };
  const birth = { namespace: '', uid: 'default-pool', nowMs };
  return admitManifest({ value, duplicates: [] }, birth).object as unknown as NodePool;
}

const EITHER_CAPACITY = {
  key: 'karpenter.sh/capacity-type',
  operator: 'In',
  values: ['on-demand', 'spot'],
};

interface Pods {
  readonly workloads: readonly Workload[];
  readonly problems: readonly string[];
  /** Objects that run pods which this program does not know how to count. */
  readonly unplanned: readonly string[];
}

function podsOf(manifests: readonly Manifest[], given: Given, nowMs: number): Pods {
  const workloads: Workload[] = [];
  const problems: string[] = [];
  const unplanned: string[] = [];
  const { classes } = given;
  for (const { at, type, object } of manifests) {
    try {
      const workload = expanded(type.name, object, { classes, nowMs, maxPods: MAX_PODS });
      if (workload) workloads.push(workload);
      else if (hasTemplate(object)) unplanned.push(`${type.singular}/${object.metadata.name}`);
    } catch (error) {
      problems.push(`error in ${at}: ${(error as Error).message}`);
    }
  }
  return { workloads, problems, unplanned };
}

function hasTemplate(object: AnyObject): boolean {
  const { template } = (object['spec'] ?? {}) as { readonly template?: unknown };
  const { spec } = (template ?? {}) as { readonly spec?: { readonly containers?: unknown } };
  return Array.isArray(spec?.containers) || object.kind === 'CronJob';
}
