/**
 * One container of a task as ECS is told of it. Owns what of Kubernetes' fields ECS has, and on
 * which kind of host; what it does not have is refused in words that a pod's owner understands.
 *
 * Invariant S4: nothing here names a role, a host's path or a host's namespace.
 */
import type {
  ContainerDefinition,
  LinuxParameters,
  PortMapping,
  TransportProtocol,
} from '@aws-sdk/client-ecs';
import type { ContainerSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import type { EcsSettings } from './settings.ts';
import { MIB, requestOf, type Size } from './sizes.ts';
import type { TaskVolumes } from './volumes.ts';

/** What holds for all containers of a task. */
export interface TaskContext {
  readonly settings: EcsSettings;
  /** The task's size on Fargate; undefined on an instance. */
  readonly fargate?: Size;
  readonly volumes: TaskVolumes;
  readonly graceSeconds: number;
}

/** Docker's least; ECS wants some memory stated for each container on an instance. */
export const MIN_MEMORY_MIB = 6;

/** On Fargate; on instances it is as long as the pod asks. */
const MAX_FARGATE_STOP_SECONDS = 120;
/** ECS counts a GPU's computing power in percent. */
const MILLI_PER_PERCENT = 10;

/** The least that ECS takes. */
const MIN_STOP_SECONDS = 2;

/** What the pod's own fields come to; names, order and health are the caller's. */
export function containerDefinition(
  container: ContainerSpec,
  context: TaskContext,
  isInit: boolean,
): ContainerDefinition {
  checkContainer(container, context);
  const { command, args, workingDir, user, tty, stdin, env } = container;
  const plain = env.filter(({ secretRef }) => secretRef === undefined);
  const secrets = env.flatMap(({ name, secretRef }) =>
    secretRef === undefined ? [] : [{ name, valueFrom: secretRef }],
  );
  return {
    image: container.image,
    ...(command ? { entryPoint: [...command] } : {}),
    ...(args ? { command: [...args] } : {}),
    ...(workingDir === undefined ? {} : { workingDirectory: workingDir }),
    environment: plain.map(({ name, value }) => ({ name, value })),
    ...(secrets.length > 0 ? { secrets } : {}),
    ...(user === undefined ? {} : { user }),
    ...(tty ? { pseudoTerminal: true } : {}),
    ...(stdin ? { interactive: true } : {}),
    portMappings: portMappings(container),
    mountPoints: context.volumes.mountPoints(container),
    readonlyRootFilesystem: container.readOnlyRootFilesystem,
    ...resources(container, context, isInit),
    ...linuxParameters(container, context),
    ...(container.noNewPrivileges && !context.fargate
      ? { dockerSecurityOptions: ['no-new-privileges'] }
      : {}),
    ...commonDefinition(context),
  };
}

/** What also holds for helpers. */
export function commonDefinition(context: TaskContext): Partial<ContainerDefinition> {
  const { settings, fargate, graceSeconds } = context;
  const longest = fargate ? MAX_FARGATE_STOP_SECONDS : graceSeconds;
  return {
    stopTimeout: Math.max(Math.min(graceSeconds, longest), MIN_STOP_SECONDS),
    logConfiguration: {
      logDriver: 'awslogs',
      options: {
        'awslogs-group': settings.logGroup,
        'awslogs-region': settings.region,
        'awslogs-stream-prefix': settings.installation,
      },
    },
  };
}

function portMappings({ ports, name }: ContainerSpec): PortMapping[] {
  const seen = new Set<string>();
  return ports.flatMap(({ containerPort, protocol }) => {
    if (protocol !== 'TCP' && protocol !== 'UDP') {
      const problem = `container ${name}: ECS has no ports of protocol ${protocol}`;
      throw new TaskRejected('ProtocolUnsupported', problem);
    }
    const key = `${containerPort}/${protocol}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ containerPort, protocol: protocol.toLowerCase() as TransportProtocol }];
  });
}

/**
 * Fargate: the task has the size; a limit holds within it. Instances: requests are what ECS counts,
 * shares and limits what the kernel enforces. ECS counts init containers as if they ran beside the
 * others, which they don't: they are counted as nothing.
 */
function resources(
  container: ContainerSpec,
  { fargate }: TaskContext,
  isInit: boolean,
): Partial<ContainerDefinition> {
  const { cpu, memoryMiB } = requestOf(container);
  const { memoryBytesLimit } = container;
  const limitMiB = Math.max(Math.ceil(memoryBytesLimit / MIB), MIN_MEMORY_MIB);
  const hasLimit = memoryBytesLimit > 0;
  if (fargate) {
    const fits = hasLimit && limitMiB < fargate.memoryMiB;
    return {
      ...(cpu > 0 && !isInit ? { cpu: Math.min(cpu, fargate.cpu) } : {}),
      ...(fits ? { memory: limitMiB } : {}),
    };
  }
  const reserved = Math.max(isInit ? 0 : memoryMiB, MIN_MEMORY_MIB);
  return {
    ...(cpu > 0 && !isInit ? { cpu } : {}),
    ...(hasLimit ? { memory: limitMiB } : {}),
    // ECS takes both only where the limit is above the reservation.
    ...(hasLimit && limitMiB <= reserved ? {} : { memoryReservation: reserved }),
    ...(isInit ? {} : gpuRequirements(container)),
  };
}

/**
 * What ECS hands out itself. Devices that we chose are in the environment and not counted by ECS:
 * the machine's default runtime gives them (docs/decisions/0013-gpu-sharing.md).
 */
function gpuRequirements({
  gpus,
  gpuShare,
}: ContainerSpec): Pick<ContainerDefinition, 'resourceRequirements'> {
  if (gpuShare) {
    const { milli, memoryMiB } = gpuShare;
    const maxComputePercent = Math.max(1, Math.floor(milli / MILLI_PER_PERCENT));
    const sharingStrategy = { nvidiaMps: { memory: memoryMiB, maxComputePercent } };
    return { resourceRequirements: [{ type: 'GPU', sharingStrategy }] };
  }
  return gpus > 0 ? { resourceRequirements: [{ type: 'GPU', value: String(gpus) }] } : {};
}

function linuxParameters(
  container: ContainerSpec,
  { volumes }: TaskContext,
): { linuxParameters?: LinuxParameters } {
  const add = container.capabilitiesAdd.map(withoutPrefix);
  const drop = container.capabilitiesDrop.map(withoutPrefix);
  const tmpfs = volumes.tmpfs(container);
  if (add.length + drop.length + tmpfs.length === 0) return {};
  const capabilities = {
    ...(add.length > 0 ? { add } : {}),
    ...(drop.length > 0 ? { drop } : {}),
  };
  return {
    linuxParameters: {
      ...(add.length + drop.length > 0 ? { capabilities } : {}),
      ...(tmpfs.length > 0 ? { tmpfs } : {}),
    },
  };
}

/** Kubernetes takes both spellings, ECS one. */
function withoutPrefix(capability: string): string {
  return capability.replace(/^CAP_/, '');
}

/** The one capability that Fargate lets a task add. */
const FARGATE_CAPABILITY = 'SYS_PTRACE';

function checkContainer(container: ContainerSpec, { fargate }: TaskContext): void {
  const { name, gpus, gpuDevices = [], gpuShare, capabilitiesAdd, runAsNonRoot, user } = container;
  const refuse = (reason: string, problem: string): never => {
    throw new TaskRejected(reason, `container ${name}: ${problem}`);
  };
  if (fargate && (gpus > 0 || gpuDevices.length > 0 || gpuShare))
    refuse('GpuUnavailable', 'Fargate has no GPUs');
  const tooMuch = capabilitiesAdd.map(withoutPrefix).find((one) => one !== FARGATE_CAPABILITY);
  if (fargate && tooMuch !== undefined) {
    refuse('CapabilityUnsupported', `Fargate can't add the capability ${tooMuch}`);
  }
  if (runAsNonRoot && !/^0*[1-9]\d*(:|$)/.test(user ?? '')) {
    const what =
      user === undefined ? "ECS can't tell an image's user: set runAsUser" : 'it is root';
    refuse('CreateContainerConfigError', `runAsNonRoot is set, and ${what}`);
  }
}
