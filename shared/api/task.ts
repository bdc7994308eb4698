/**
 * Task: one attempt of a pod, as runtimes run it and tell of it. Values only; the verbs are
 * ports/runtime.ts.
 */
import type { Registration } from './instance.ts';

/**
 * Everything about a task, resolved: no reference is left. Never logged, since values may be
 * secret.
 */
export interface TaskSpec {
  /** `taskIdOf(podUid, attempt)`, or `batchTaskIdOf(…)` of the pod's batch. */
  readonly id: string;
  readonly podUid: string;
  readonly attempt: number;
  readonly namespace: string;
  readonly podName: string;
  readonly nodeName: string;
  readonly hostname: string;
  readonly labels: { readonly [key: string]: string };
  /** The pod's annotations under `nullplane.io/`. */
  readonly annotations: { readonly [key: string]: string };
  /** Run one after the other, each to exit code 0, before the containers. */
  readonly initContainers: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
  readonly volumes: readonly TaskVolume[];
  readonly hostAliases: readonly { readonly ip: string; readonly hostnames: readonly string[] }[];
  /** Between SIGTERM and SIGKILL, for runtimes that must know it at the start; 30 when absent. */
  readonly graceSeconds?: number;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** The task ends when an essential container ends; otherwise when all of them have. */
  readonly essential: boolean;
  /** Replaces the entry point; the image's own when absent. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: readonly TaskVariable[];
  readonly ports: readonly { readonly containerPort: number; readonly protocol: string }[];
  readonly cpuMillisRequest: number;
  /** 0: no limit. */
  readonly cpuMillisLimit: number;
  /** What the scheduler counts; none when absent. */
  readonly memoryBytesRequest?: number;
  /** 0: no limit. */
  readonly memoryBytesLimit: number;
  /** Whole GPUs that the runtime chooses for it. */
  readonly gpus: number;
  /**
   * The GPUs that it sees, chosen by us, as NVIDIA_VISIBLE_DEVICES among `env` says: by index,
   * slices as `GPU:slice`; none where empty. Absent where the runtime chooses.
   */
  readonly gpuDevices?: readonly string[];
  /** A part of a GPU that the runtime chooses and keeps apart from other parts by MPS. */
  readonly gpuShare?: { readonly milli: number; readonly memoryMiB: number };
  readonly mounts: readonly {
    readonly volume: string;
    readonly path: string;
    readonly readOnly: boolean;
    readonly subPath?: string;
  }[];
  readonly user?: string;
  readonly readOnlyRootFilesystem: boolean;
  readonly capabilitiesAdd: readonly string[];
  readonly capabilitiesDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly runAsNonRoot: boolean;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly probes: {
    readonly startup?: ProbeSpec;
    readonly liveness?: ProbeSpec;
    readonly readiness?: ProbeSpec;
  };
}

/**
 * A variable. With `secretRef` the value is '' here: the runtime hands over that name, and the
 * vault's value under it is put in where the container starts.
 */
export interface TaskVariable {
  readonly name: string;
  readonly value: string;
  readonly secretRef?: string;
}

export interface ProbeSpec {
  readonly action:
    | { readonly type: 'exec'; readonly command: readonly string[] }
    | {
        readonly type: 'http';
        readonly scheme: 'HTTP' | 'HTTPS';
        readonly host?: string;
        readonly port: number;
        readonly path: string;
        readonly headers: readonly { readonly name: string; readonly value: string }[];
      }
    | { readonly type: 'tcp'; readonly host?: string; readonly port: number }
    | { readonly type: 'grpc'; readonly port: number; readonly service: string };
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

export type TaskVolume =
  | {
      readonly name: string;
      readonly type: 'empty';
      readonly memory: boolean;
      readonly sizeBytes: number;
    }
  | { readonly name: string; readonly type: 'files'; readonly files: readonly TaskFile[] };

/** `content` is base64; with `secretRef` it is '' here, and the vault's to give. */
export interface TaskFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly secretRef?: SecretFileRef;
}

/**
 * Where a secret file's content is: what is under these names, joined in order, is the content
 * itself (`text`, in UTF-8) or its base64. There is at least one part; each may hold 4 KiB.
 */
export interface SecretFileRef {
  readonly parts: readonly string[];
  readonly encoding: 'text' | 'base64';
}

/** The reason of a task that was taken on, and ended before it began for want of capacity. */
export const NO_CAPACITY_REASON = 'NoCapacity';

export type TaskPhase = 'pending' | 'running' | 'stopping' | 'stopped';

/**
 * What a runtime says of a task. `version` grows with each change of the task; an older one is
 * late.
 *
 * A task goes from `pending` (pulling, or running init containers) to `running` (its containers
 * were started) to `stopped`, which is final. It stops when its containers have ended, and also
 * when it can't begin: a container whose image can't be had stays `waiting` with ErrImagePull or
 * InvalidImageName. Trying again is another attempt.
 */
export interface TaskState {
  readonly id: string;
  /** What the runtime calls it, where that is not its id: who has it need not look for the task. */
  readonly handle?: string;
  /**
   * Whose task it is. Of a task that was started with others, the runtime knows the id alone:
   * `podUid`, `podName` and `nodeName` are '' then, and `attempt` is 1.
   */
  readonly podUid: string;
  readonly attempt: number;
  readonly namespace: string;
  readonly podName: string;
  readonly nodeName: string;
  readonly version: number;
  readonly phase: TaskPhase;
  readonly ip?: string;
  /** The address of the machine that it runs on, where the runtime knows it. */
  readonly hostIp?: string;
  readonly initContainers: readonly ContainerReport[];
  readonly containers: readonly ContainerReport[];
  /**
   * Why the task as a whole ended or could not start: `OOMKilled`, `NodeLost`, `TaskFailedToStart`
   * …
   */
  readonly reason?: string;
  readonly message?: string;
}

export interface ContainerReport {
  readonly name: string;
  readonly image: string;
  readonly imageId?: string;
  /** Runtime and id, such as `docker://4f5c…`. */
  readonly containerId?: string;
  readonly state:
    | { readonly type: 'waiting'; readonly reason: WaitingReason; readonly message?: string }
    | { readonly type: 'running'; readonly startedAtMs: number }
    | {
        readonly type: 'terminated';
        readonly exitCode: number;
        readonly signal?: number;
        /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`, `LivenessProbeFailed` … */
        readonly reason: string;
        readonly message?: string;
        readonly startedAtMs: number;
        readonly finishedAtMs: number;
      };
  /** Passed its startup probe, or has none and runs. */
  readonly started: boolean;
  /** Passes its readiness probe, or has none and is started. */
  readonly ready: boolean;
  /** Why a running container that should be ready is not, once its readiness probe has failed. */
  readonly unready?: string;
  /**
   * Why it must be ended: its liveness probe has failed, and the runtime does not end it itself.
   */
  readonly unhealthy?: string;
  /** The report can't say how the probes stand: what was known of this run still holds. */
  readonly healthUnknown?: boolean;
}

/** The waiting reasons that kubectl users know. */
export type WaitingReason =
  | 'ContainerCreating'
  | 'PodInitializing'
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'InvalidImageName'
  | 'CreateContainerConfigError'
  | 'CreateContainerError';

/** What runtimes and nodes tell the health queue. `atMs`: when it was so, by the teller's clock. */
export type HealthMessage = { readonly type: 'task'; readonly task: TaskState } | NodeMessage;

export type NodeMessage = NodeStatusMessage | RegistrationMessage | Interruption | ConditionMessage;

export interface NodeStatusMessage {
  readonly type: 'node';
  readonly nodeName: string;
  /** `gone` is final: the instance is terminated, and its tasks with it. */
  readonly status: 'connected' | 'disconnected' | 'gone';
  readonly atMs: number;
}

/** What the agent of a node told its cluster. */
export interface RegistrationMessage {
  readonly type: 'node-registration';
  readonly nodeName: string;
  readonly registration: Registration;
  readonly atMs: number;
}

/** What happens to a machine while it still runs. */
export interface Interruption {
  readonly type: 'node-interruption';
  readonly nodeName: string;
  /**
   * `rebalance`: it may be taken away. `spot`: it is taken away within minutes. `shutdown`: it goes
   * down now. `over`: it runs again after a shutdown.
   */
  readonly kind: 'rebalance' | 'spot' | 'shutdown' | 'over';
  readonly atMs: number;
  /** When the machine ends, where that is known. */
  readonly endsAtMs?: number;
}

/** What an agent of whatever kind found out about its node: docs/health-messages.md. */
export interface ConditionMessage {
  readonly type: 'node-condition';
  readonly nodeName: string;
  readonly condition: {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
  };
  readonly atMs: number;
}

/**
 * The identity of a task: at most 64 characters, fit for an ECS client token and a container name.
 */
export function taskIdOf(podUid: string, attempt: number): string {
  return `${podUid}-${attempt}`;
}

/**
 * The identity of a task that was started by one question with others (`LaunchBatch`): there is one
 * on each node, so that token and node tell it.
 */
export function batchTaskIdOf(token: string, at: string): string {
  return `${token}.${at}`;
}

/** 128 bits: nobody meets the token of another. */
export const BATCH_TOKEN = /^b-[0-9a-f]{32}$/;
const BATCH_TASK_ID = /^(b-[0-9a-f]{32})\.([\w-]{1,64})$/;

/** The inverse of `batchTaskIdOf`; undefined for the id of a task that was started alone. */
export function parseBatchTaskId(id: string) {
  const [, token, at] = BATCH_TASK_ID.exec(id) ?? [];
  return token === undefined || at === undefined ? undefined : { token, at };
}
