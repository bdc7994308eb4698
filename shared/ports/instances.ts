import type { Taint } from '../api/kinds/affinity.ts';
import type { CapacityType, Instance } from '../api/instance.ts';

/**
 * Where machines come from: EC2, or memory. Instances join the cluster by themselves, minutes after
 * they were launched. Every method may throw `InstancesUnavailable`: it may or may not have taken
 * effect. What is not known is never told as gone: an answer is whole, or an error.
 */
export interface InstancePool {
  /**
   * Launches up to `count` instances, each of one of the types in one of the zones, whichever can
   * be had. Less than asked for is no error: missing = `count` - `instances.length`, whatever
   * `failed` says, since that tells of combinations and not of instances. A claim launches once:
   * asked again, it is answered with the instances that it got, ended ones too, and no `failed`.
   * Throws `LaunchRejected`: then nothing was launched.
   */
  launch(request: LaunchRequest): Promise<LaunchResult>;
  /** Ends instances that this installation launched. Others, ended and unknown ones are left. */
  terminate(instanceIds: readonly string[]): Promise<void>;
  /**
   * What is known of each. No `instance`: the cloud says that there is none of this id, so that it
   * has ended long ago or never was. An id that is missing from the answer: not known.
   */
  describe(instanceIds: readonly string[]): Promise<readonly Described[]>;
  /**
   * All instances that were launched by this installation or joined its cluster, and are not
   * terminated. One launched seconds ago may be missing.
   */
  list(): Promise<readonly Instance[]>;
  /** The names of the zones in which machines may be launched, each once, in order. */
  zones(): Promise<readonly string[]>;
}

export interface LaunchRequest {
  /** The identity of the launch; at most 64 characters, letters, digits and `-`. */
  readonly claimUid: string;
  readonly count: number;
  readonly types: readonly string[];
  readonly zones: readonly string[];
  readonly capacityType: CapacityType;
  /** The nodes' own, from their first moment on. */
  readonly labels: { readonly [key: string]: string };
  readonly taints: readonly Taint[];
  /** For people and bills. */
  readonly tags: { readonly [key: string]: string };
}

export interface LaunchResult {
  readonly instances: readonly Launched[];
  /** The combinations that could not be had, and why. */
  readonly failed: readonly LaunchFailure[];
}

export interface Launched {
  readonly id: string;
  readonly type: string;
  readonly zone: string;
  readonly capacityType: CapacityType;
}

export interface LaunchFailure {
  readonly type: string;
  readonly zone: string;
  readonly capacityType: CapacityType;
  /**
   * `capacity`: none are left there, for minutes. `quota`: the account may have no more.
   * `configuration`: never, as it is set up.
   */
  readonly kind: 'capacity' | 'quota' | 'configuration';
  readonly code: string;
  readonly message: string;
}

export interface Described {
  readonly id: string;
  readonly instance?: Instance;
}

/** Not now: the service did not answer, or was throttled. It may have acted. */
export class InstancesUnavailable extends Error {
  override readonly name = 'InstancesUnavailable';
}

/** Never, as it is: the request asks for what can't be launched. */
export class LaunchRejected extends Error {
  override readonly name = 'LaunchRejected';
}
