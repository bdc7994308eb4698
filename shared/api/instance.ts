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

/** What a type of instance has. */
export interface InstanceShape {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly arch: 'amd64' | 'arm64';
  /** How many network interfaces it may have; one is its own. */
  readonly networkInterfaces?: number;
  readonly gpu?: {
    readonly name: string;
    readonly manufacturer?: string;
    readonly count: number;
    /** Of each. */
    readonly memoryMiB: number;
  };
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
