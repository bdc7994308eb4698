/**
 * Instance: a machine that the installation launched, or that joined its cluster. Values only; the
 * verbs are ports/instances.ts, and what a Node makes of it is core/node/from-instance.ts.
 */

export type CapacityType = 'on-demand' | 'spot';

/** `terminated` is final. A `stopped` one may be started again under the same id. */
export type InstanceState = 'pending' | 'running' | 'stopping' | 'stopped' | 'terminated';

export interface Instance {
  readonly id: string;
  readonly state: InstanceState;
  /** Such as `g5.xlarge`. */
  readonly type: string;
  readonly zone: string;
  readonly capacityType: CapacityType;
  readonly launchedAtMs: number;
  /** Launched by this installation; another one may have joined its cluster. */
  readonly isOurs: boolean;
  /** The claim that it was launched for. */
  readonly claimUid?: string;
  readonly privateIp?: string;
  readonly privateDnsName?: string;
  /** What its type has, where that could be learned. */
  readonly shape?: InstanceShape;
  /** What its agent said; absent until it has joined the cluster. */
  readonly registration?: Registration;
}

/** What a type of instance has, as far as it could be learned. */
export interface InstanceShape {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly arch: 'amd64' | 'arm64';
  /** Such as `intel`, `amd`, `aws`. */
  readonly cpuManufacturer?: string;
  /** Absent for bare metal. */
  readonly hypervisor?: string;
  /** How many network interfaces it may have; one is its own. */
  readonly networkInterfaces?: number;
  /** What it can always have, of all its network cards together. */
  readonly networkMbps?: number;
  /** Of NVMe disks in the machine, together; EC2 counts in GB. */
  readonly localNvmeGB?: number;
  /** Of NVIDIA or of others: only NVIDIA's are what `nvidia.com/gpu` asks for. */
  readonly gpu?: Device;
  /** What computes and is no GPU: Inferentia, Trainium, media encoders, FPGAs. */
  readonly accelerator?: Device;
}

/** Names as Karpenter's labels have them: `a10g`, `nvidia`. */
export interface Device {
  readonly name: string;
  readonly manufacturer?: string;
  readonly count: number;
  /** Of each. */
  readonly memoryMiB: number;
}

/** A type of instance as EC2 describes it. */
export interface InstanceType extends InstanceShape {
  /** Such as `g5.xlarge`. */
  readonly name: string;
  readonly networkInterfaces: number;
  readonly networkMbps: number;
  readonly ipv4PerInterface: number;
  /** 0: no Elastic Fabric Adapter. */
  readonly efaInterfaces: number;
  readonly isBareMetal: boolean;
  /** It has CPU credits: less than its processors for longer than a while. */
  readonly isBurstable: boolean;
  readonly isCurrentGeneration: boolean;
  readonly capacityTypes: readonly CapacityType[];
}

/** The manufacturer whose GPUs ECS hands out. */
export const NVIDIA = 'nvidia';

/** How many GPUs the type offers as `nvidia.com/gpu`. */
export function nvidiaGpus({ gpu }: InstanceShape): number {
  return gpu?.manufacturer === NVIDIA ? gpu.count : 0;
}

/** `eu-west-1` of `eu-west-1b`; undefined for what is no zone of AWS. */
export function regionOfZone(zone: string): string | undefined {
  return /^[a-z]{2}(-[a-z]+)+-\d/.exec(zone)?.[0];
}

/** What the agent of an instance has told its cluster: the container instance, in ECS's words. */
export interface Registration {
  /** A machine that registers anew gets another one. */
  readonly id: string;
  readonly registeredAtMs: number;
  /** Grows with each change of this registration; an older one is late. */
  readonly version: number;
  /** `INACTIVE` once it was deregistered. */
  readonly status: 'ACTIVE' | 'DRAINING' | 'REGISTERING' | 'INACTIVE';
  readonly agentConnected: boolean;
  /** 1024 are a processor. */
  readonly cpuUnits: number;
  readonly memoryMiB: number;
  readonly gpus: number;
  /** Names with their values; '' where an attribute has none. */
  readonly attributes: { readonly [name: string]: string };
}

/** EC2's form of an instance's id. */
export const INSTANCE_ID = /^i-[0-9a-f]{8,17}$/;
