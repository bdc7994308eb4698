/**
 * What a world is like: names, how long things take, how often one may ask, how badly events are
 * delivered. The defaults are AWS's own, where they are known (reference: aws-semantics.md,
 * performance.md 5.1); tests make them smaller.
 */
import type { Span } from './timers.ts';

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Latencies {
  /** Before PENDING: the network interface of an awsvpc task. Other tasks skip it. */
  readonly provisioningMs: Span;
  /** Image pulls, and all else before the first container runs. */
  readonly pullMs: Span;
  readonly activatingMs: Span;
  readonly deactivatingMs: Span;
  /** From SIGTERM to the exit of a container that heeds it; under a second. */
  readonly termMs: Span;
  readonly deprovisioningMs: Span;
  /** A new task is missing from ListTasks for so long. */
  readonly listLagMs: Span;
  /** A new instance is missing from DescribeInstances for so long. */
  readonly instanceLagMs: Span;
  /** From the launch of an instance to `running`. */
  readonly instancePendingMs: Span;
  /** From `running` to a registered container instance. */
  readonly instanceBootMs: Span;
  readonly instanceShutdownMs: Span;
  /** From a line's writing to its showing in the log. */
  readonly logLagMs: Span;
}

/** How events come: at least once and in any order, says AWS; losing them is for tests. */
export interface Delivery {
  readonly delayMs: Span;
  readonly doubled: number;
  /** How likely an event is late by `lateMs`: later ones overtake it. */
  readonly late: number;
  readonly lateMs: Span;
  readonly lost: number;
}

export interface Settings {
  readonly region: string;
  readonly accountId: string;
  /** Others are not found; the first one is where booted instances register. */
  readonly clusters: readonly string[];
  /** Others must be created first. */
  readonly logGroups: readonly string[];
  /**
   * Availability zone of each subnet that there is. Where none is named, any is there, and they
   * spread over three zones.
   */
  readonly subnetZones: Readonly<Record<string, string>>;
  /**
   * What an instance of a launch template registers as. Templates that are not here register in
   * the first cluster, without attributes of their own.
   */
  readonly launchTemplates: Readonly<Record<string, TemplateSettings>>;
  /** Fargate's vCPUs at a time, of the account. */
  readonly fargateVcpus: number;
  readonly rates: Rates;
  readonly latencies: Latencies;
  readonly delivery: Delivery;
}

export interface TemplateSettings {
  /** False: the instance boots, and never registers. */
  readonly registers?: boolean;
  readonly cluster?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** What its user data makes of the instance, such as attributes from tags. */
  readonly attributesAtBoot?: (instance: {
    readonly id: string;
    readonly tags: ReadonlyMap<string, string>;
  }) => Readonly<Record<string, string>>;
  /** `ECS_CONTAINER_INSTANCE_PROPAGATE_TAGS_FROM=ec2_instance`; off is the agent's default. */
  readonly propagatesTags?: boolean;
}

/** Buckets by name; which operation takes from which is with the operation. */
export interface Rates {
  readonly taskWrite: Rate;
  readonly fargateRunTask: Rate;
  readonly fargateLaunch: Rate;
  readonly fargateSpotLaunch: Rate;
  readonly read: Rate;
  readonly registerTaskDefinition: Rate;
  readonly describeTaskDefinition: Rate;
  readonly cluster: Rate;
  readonly fleet: Rate;
  readonly ec2Read: Rate;
  readonly ec2Write: Rate;
  readonly logs: Rate;
}

export const AWS_RATES: Rates = {
  taskWrite: { burst: 100, perSecond: 40 },
  fargateRunTask: { burst: 20, perSecond: 20 },
  fargateLaunch: { burst: 100, perSecond: 20 },
  fargateSpotLaunch: { burst: 100, perSecond: 20 },
  read: { burst: 100, perSecond: 20 },
  registerTaskDefinition: { burst: 20, perSecond: 1 },
  describeTaskDefinition: { burst: 50, perSecond: 20 },
  cluster: { burst: 50, perSecond: 20 },
  // EC2's and CloudWatch Logs' figures are assumed: the stored documents do not give them.
  fleet: { burst: 50, perSecond: 5 },
  ec2Read: { burst: 100, perSecond: 20 },
  ec2Write: { burst: 200, perSecond: 5 },
  logs: { burst: 25, perSecond: 25 },
};

const ENDLESS: Rate = { burst: 1e9, perSecond: 1e9 };

/** For tests that are not about throttling. */
export const NO_LIMITS = Object.fromEntries(
  Object.keys(AWS_RATES).map((name) => [name, ENDLESS]),
) as unknown as Rates;

/** About what Fargate and EC2 take: half a minute to RUNNING (performance.md 5.1). */
export const AWS_LATENCIES: Latencies = {
  provisioningMs: [4_000, 12_000],
  pullMs: [5_000, 20_000],
  activatingMs: [500, 2_000],
  deactivatingMs: [0, 1_000],
  termMs: [50, 900],
  deprovisioningMs: [3_000, 15_000],
  listLagMs: [0, 5_000],
  instanceLagMs: [0, 4_000],
  instancePendingMs: [5_000, 15_000],
  instanceBootMs: [30_000, 90_000],
  instanceShutdownMs: [10_000, 40_000],
  logLagMs: 0,
};

/** For wall-clock tests: the same order of things, in tenths of a second. */
export const FAST_LATENCIES: Latencies = {
  provisioningMs: [20, 60],
  pullMs: [40, 120],
  activatingMs: [5, 20],
  deactivatingMs: [0, 10],
  termMs: [5, 50],
  deprovisioningMs: [20, 60],
  listLagMs: [0, 300],
  instanceLagMs: [0, 200],
  instancePendingMs: [50, 100],
  instanceBootMs: [100, 300],
  instanceShutdownMs: [50, 150],
  logLagMs: 0,
};

/** Each event once, in order, at once. */
export const PERFECT_DELIVERY: Delivery = {
  delayMs: 0,
  doubled: 0,
  late: 0,
  lateMs: 0,
  lost: 0,
};

export const DEFAULT_SETTINGS: Settings = {
  region: 'us-east-1',
  accountId: '123456789012',
  clusters: ['nullplane', 'default'],
  logGroups: ['/nullplane/nullplane/tasks', '/nullplane/tasks'],
  subnetZones: {},
  launchTemplates: {},
  fargateVcpus: Infinity,
  rates: AWS_RATES,
  latencies: AWS_LATENCIES,
  delivery: PERFECT_DELIVERY,
};

const ZONES = ['a', 'b', 'c'];

/** Where a subnet is; any is known. */
export function zoneOfSubnet({ region, subnetZones }: Settings, subnet: string): string {
  const last = subnet.charCodeAt(subnet.length - 1) || 0;
  return subnetZones[subnet] ?? `${region}${ZONES[last % ZONES.length]}`;
}
