/** What ECS remembers: records that change, and the views of them that answers give. */
import type {
  Attribute,
  Container,
  ContainerDefinition,
  HealthStatus,
  NetworkBinding,
  Tag,
  Task,
  TaskDefinition,
  TaskOverride,
} from '@aws-sdk/client-ecs';
import type { LogStream } from '../logs/log-store.ts';
import type { Process } from './behaviour.ts';

export type LastStatus =
  | 'PROVISIONING'
  | 'PENDING'
  | 'ACTIVATING'
  | 'RUNNING'
  | 'DEACTIVATING'
  | 'STOPPING'
  | 'DEPROVISIONING'
  | 'STOPPED';

export type StopCode = NonNullable<Task['stopCode']>;

/** What a task takes of its instance until it is STOPPED. */
export interface Needs {
  /** Units: 1024 are a vCPU. */
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly gpus: number | 'ALL';
  readonly enis: number;
  readonly ports: readonly { readonly port: number; readonly protocol: 'tcp' | 'udp' }[];
}

export interface ContainerRecord {
  readonly arn: string;
  readonly definition: ContainerDefinition;
  readonly process: Process;
  readonly gpuIds: readonly string[];
  lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED';
  healthStatus: HealthStatus;
  bindings: NetworkBinding[];
  runtimeId?: string;
  imageDigest?: string;
  exitCode?: number;
  reason?: string;
  /** SIGTERM was sent. */
  signalled?: boolean;
  log?: LogStream;
}

export interface NetworkInterface {
  readonly attachmentId: string;
  readonly id: string;
  readonly subnet: string;
  readonly mac: string;
  readonly ip: string;
  status: 'PRECREATED' | 'ATTACHED' | 'DELETED';
}

export interface InstanceRecord {
  readonly arn: string;
  readonly cluster: string;
  readonly ec2InstanceId: string;
  readonly registeredAtMs: number;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly gpuIds: readonly string[];
  /** Interfaces that tasks can have: the machine's own does not count. */
  readonly maxEnis: number;
  readonly attributes: Map<string, string>;
  readonly tasks: Set<TaskRecord>;
  /** What its agent will do and tell once it is connected. */
  readonly deferred: (() => void)[];
  version: number;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  agentConnected: boolean;
  tags: Tag[];
}

export interface TaskRecord {
  readonly arn: string;
  readonly id: string;
  readonly cluster: string;
  readonly definition: TaskDefinition;
  readonly launchType: 'EC2' | 'FARGATE';
  readonly capacityProvider?: 'FARGATE' | 'FARGATE_SPOT';
  readonly overrides: TaskOverride | undefined;
  readonly group: string;
  readonly startedBy?: string;
  readonly needs: Needs;
  readonly zone: string;
  readonly instance?: InstanceRecord;
  readonly eni?: NetworkInterface;
  readonly containers: readonly ContainerRecord[];
  readonly createdAtMs: number;
  /** Seen in ListTasks from then on. */
  readonly listedAtMs: number;
  readonly enableExecuteCommand: boolean;
  tags: Tag[];
  version: number;
  lastStatus: LastStatus;
  desiredStatus: 'RUNNING' | 'STOPPED';
  stopCode?: StopCode;
  stoppedReason?: string;
  pullStartedAtMs?: number;
  pullStoppedAtMs?: number;
  startedAtMs?: number;
  stoppingAtMs?: number;
  executionStoppedAtMs?: number;
  stoppedAtMs?: number;
}

/** A container is essential unless its definition says otherwise. */
export function isEssential({ definition }: ContainerRecord): boolean {
  return definition.essential !== false;
}

/** Any essential UNHEALTHY makes the task so; else any essential UNKNOWN does. */
export function taskHealth(task: TaskRecord): HealthStatus {
  const all = task.containers.filter(isEssential).map(({ healthStatus }) => healthStatus);
  if (all.includes('UNHEALTHY')) return 'UNHEALTHY';
  return all.length === 0 || all.includes('UNKNOWN') ? 'UNKNOWN' : 'HEALTHY';
}

/** As DescribeTasks has it. Tags are there only for those who ask for them. */
export function taskView(task: TaskRecord, options: { tags?: boolean } = {}): Task {
  const { instance, capacityProvider, startedBy, overrides } = task;
  return {
    taskArn: task.arn,
    taskDefinitionArn: task.definition.taskDefinitionArn ?? '',
    clusterArn: clusterArnOf(task.arn),
    ...(instance && { containerInstanceArn: instance.arn }),
    availabilityZone: task.zone,
    launchType: task.launchType,
    ...(capacityProvider && { capacityProviderName: capacityProvider }),
    ...(task.launchType === 'FARGATE' && {
      platformVersion: '1.4.0',
      platformFamily: 'Linux',
      ephemeralStorage: { sizeInGiB: 20 },
    }),
    group: task.group,
    ...(startedBy !== undefined && { startedBy }),
    version: task.version,
    lastStatus: task.lastStatus,
    desiredStatus: task.desiredStatus,
    healthStatus: taskHealth(task),
    connectivity: instance?.agentConnected === false ? 'DISCONNECTED' : 'CONNECTED',
    cpu: String(task.needs.cpu),
    memory: String(task.needs.memoryMiB),
    enableExecuteCommand: task.enableExecuteCommand,
    overrides: { containerOverrides: [], ...overrides },
    attachments: task.eni ? [attachmentView(task.eni, 'ElasticNetworkInterface')] : [],
    attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
    containers: task.containers.map((container) => containerView(task, container)),
    tags: options.tags ? [...task.tags] : [],
    ...timesOf(task),
  };
}

/** As events have it: without health and tags, and with another word for the interface. */
export function taskEvent(task: TaskRecord): Record<string, unknown> {
  const { tags: _tags, healthStatus: _health, ...view } = taskView(task);
  return {
    ...view,
    attachments: task.eni ? [attachmentView(task.eni, 'eni')] : [],
    containers: (view.containers ?? []).map(({ healthStatus: _own, ...container }) => container),
    updatedAt: new Date(lastChangeMs(task)),
  };
}

function lastChangeMs(task: TaskRecord): number {
  const { createdAtMs, startedAtMs = 0, stoppingAtMs = 0, stoppedAtMs = 0 } = task;
  return Math.max(createdAtMs, startedAtMs, stoppingAtMs, stoppedAtMs);
}

function timesOf(task: TaskRecord): Partial<Task> {
  const { stopCode, stoppedReason } = task;
  const at = (name: keyof Task, ms: number | undefined) =>
    ms === undefined ? {} : { [name]: new Date(ms) };
  return {
    ...at('createdAt', task.createdAtMs),
    ...at('connectivityAt', task.startedAtMs),
    ...at('pullStartedAt', task.pullStartedAtMs),
    ...at('pullStoppedAt', task.pullStoppedAtMs),
    ...at('startedAt', task.startedAtMs),
    ...at('stoppingAt', task.stoppingAtMs),
    ...at('executionStoppedAt', task.executionStoppedAtMs),
    ...at('stoppedAt', task.stoppedAtMs),
    ...(stopCode && { stopCode }),
    ...(stoppedReason !== undefined && { stoppedReason }),
  };
}

function containerView(task: TaskRecord, container: ContainerRecord): Container {
  const { definition, runtimeId, imageDigest, exitCode, reason, gpuIds } = container;
  const attached = task.eni && task.eni.status !== 'PRECREATED';
  return {
    containerArn: container.arn,
    taskArn: task.arn,
    name: definition.name ?? '',
    image: definition.image ?? '',
    ...(imageDigest !== undefined && { imageDigest }),
    ...(runtimeId !== undefined && { runtimeId }),
    lastStatus: container.lastStatus,
    ...(exitCode !== undefined && { exitCode }),
    ...(reason !== undefined && { reason }),
    networkBindings: container.bindings,
    networkInterfaces:
      task.eni && attached
        ? [{ attachmentId: task.eni.attachmentId, privateIpv4Address: task.eni.ip }]
        : [],
    healthStatus: container.healthStatus,
    cpu: String(definition.cpu ?? 0),
    ...(definition.memory !== undefined && { memory: String(definition.memory) }),
    ...(definition.memoryReservation !== undefined && {
      memoryReservation: String(definition.memoryReservation),
    }),
    ...(gpuIds.length > 0 && { gpuIds: [...gpuIds] }),
  };
}

function attachmentView(eni: NetworkInterface, type: string) {
  const details = [{ name: 'subnetId', value: eni.subnet }];
  if (eni.status !== 'PRECREATED') {
    details.push(
      { name: 'networkInterfaceId', value: eni.id },
      { name: 'macAddress', value: eni.mac },
      { name: 'privateDnsName', value: `ip-${eni.ip.replaceAll('.', '-')}.ec2.internal` },
      { name: 'privateIPv4Address', value: eni.ip },
    );
  }
  return { id: eni.attachmentId, type, status: eni.status, details };
}

/** `arn:aws:ecs:<region>:<account>:task/<cluster>/<id>` to that of the cluster. */
export function clusterArnOf(arn: string): string {
  return arn.replace(/:(task|container-instance)\/([^/]+)\/.*$/, ':cluster/$2');
}

export function attributeViews(attributes: ReadonlyMap<string, string>): Attribute[] {
  return [...attributes].map(([name, value]) => (value === '' ? { name } : { name, value }));
}
