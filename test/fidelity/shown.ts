/**
 * Which parts of an answer are compared: those that the adapters read, and no more, since each
 * implementation decorates its answers. `[]` stands for the items of a list.
 */
import type { Json, JsonObject, Subject } from './script.ts';

const TASK = [
  'taskArn',
  'taskDefinitionArn',
  'clusterArn',
  'lastStatus',
  'desiredStatus',
  'launchType',
  'capacityProviderName',
  'containerInstanceArn',
  'group',
  'startedBy',
  'stopCode',
  'stoppedReason',
  'version',
  'containers[].name',
  'containers[].lastStatus',
  'containers[].exitCode',
  'tags',
];
const DEFINITION = ['family', 'revision', 'status', 'networkMode', 'cpu', 'memory'].map(
  (name) => `taskDefinition.${name}`,
);
const CONTAINER_INSTANCE = [
  'containerInstanceArn',
  'ec2InstanceId',
  'status',
  'agentConnected',
  'version',
  'attributes',
  'registeredResources[].name',
  'registeredResources[].integerValue',
];
const INSTANCE = [
  'InstanceId',
  'InstanceType',
  'InstanceLifecycle',
  'State.Name',
  'StateReason.Code',
  'Placement.AvailabilityZone',
  'SubnetId',
  'Tags',
].map((name) => `Reservations[].Instances[].${name}`);
const of = (list: string, names: readonly string[]) => names.map((name) => `${list}.${name}`);
const FAILURES = ['failures[].arn', 'failures[].reason'];
const BATCH = ['Successful[].Id', 'Failed[].Id', 'Failed[].Code', 'Failed[].SenderFault'];

type Shown = { readonly [call: string]: readonly string[] };

const SHOWN: { readonly [subject in Subject]: Shown } = {
  dynamodb: {
    GetItem: ['Item'],
    PutItem: ['Attributes'],
    DeleteItem: ['Attributes'],
    Query: ['Items', 'LastEvaluatedKey'],
    BatchGetItem: ['Responses', 'UnprocessedKeys'],
    Stream: ['records'],
  },
  sqs: {
    SendMessageBatch: BATCH,
    ReceiveMessage: [
      'Messages[].Body',
      'Messages[].Attributes.MessageGroupId',
      'Messages[].Attributes.ApproximateReceiveCount',
      'Messages[].MessageAttributes.group.StringValue',
    ],
    DeleteMessage: [],
    DeleteMessageBatch: BATCH,
    ChangeMessageVisibilityBatch: BATCH,
  },
  ecs: {
    CreateCluster: ['cluster.clusterName', 'cluster.status'],
    DescribeClusters: ['clusters[].clusterName', 'clusters[].status', 'failures[].reason'],
    RegisterTaskDefinition: DEFINITION,
    DescribeTaskDefinition: DEFINITION,
    DeregisterTaskDefinition: DEFINITION,
    RunTask: [...of('tasks[]', TASK), ...FAILURES],
    DescribeTasks: [...of('tasks[]', TASK), ...FAILURES],
    StopTask: of('task', TASK),
    ListTasks: ['taskArns'],
    ListContainerInstances: ['containerInstanceArns'],
    DescribeContainerInstances: [...of('containerInstances[]', CONTAINER_INSTANCE), ...FAILURES],
    Machine: ['containerInstanceArn', 'ec2InstanceId'],
  },
  ec2: {
    CreateFleet: [
      'Instances[].InstanceIds',
      'Instances[].InstanceType',
      'Instances[].Lifecycle',
      'Instances[].LaunchTemplateAndOverrides.Overrides.SubnetId',
      'Errors[].ErrorCode',
      'Errors[].LaunchTemplateAndOverrides.Overrides.InstanceType',
    ],
    DescribeInstances: INSTANCE,
    TerminateInstances: [
      'TerminatingInstances[].InstanceId',
      'TerminatingInstances[].PreviousState.Name',
      'TerminatingInstances[].CurrentState.Name',
    ],
    DescribeInstanceTypes: [
      'InstanceTypes[].InstanceType',
      'InstanceTypes[].VCpuInfo.DefaultVCpus',
      'InstanceTypes[].MemoryInfo.SizeInMiB',
      'InstanceTypes[].ProcessorInfo.SupportedArchitectures',
      'InstanceTypes[].GpuInfo.Gpus[].Name',
      'InstanceTypes[].GpuInfo.Gpus[].Count',
      'InstanceTypes[].NetworkInfo.MaximumNetworkInterfaces',
    ],
    DescribeSubnets: ['Subnets[].SubnetId'],
  },
  // What the ports answer is short by itself, but for what continues it.
  store: { list: ['items', 'next'], changes: ['changes'] },
  queue: {
    receive: ['group', 'body', 'receives'].map((name) => `deliveries[].${name}`),
    deadLetters: ['letters[].group', 'letters[].body'],
  },
};

/** The order of these lists means nothing; they are put into one. */
const UNORDERED: { readonly [call: string]: readonly string[] } = {
  BatchGetItem: ['Responses'],
  DescribeTasks: ['tasks', 'failures'],
  ListTasks: ['taskArns'],
  DescribeInstances: ['Reservations'],
  TerminateInstances: ['TerminatingInstances'],
  DescribeInstanceTypes: ['InstanceTypes'],
  ListContainerInstances: ['containerInstanceArns'],
  DescribeContainerInstances: ['containerInstances', 'failures'],
};
/** And these, wherever they are. */
const SETS = new Set([
  'Tags',
  'tags',
  'attributes',
  'registeredResources',
  'SupportedArchitectures',
]);

/** The parts of an answer that are compared; all of it, where nothing is said of the call. */
export function shownOf(subject: Subject, call: string, answer: Json): Json {
  const paths = SHOWN[subject][call];
  if (!paths) return answer;
  return picked(
    answer,
    paths.map((path) => path.split(/(?=\[\])|\./)),
  );
}

function picked(value: Json, paths: readonly (readonly string[])[]): Json {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) {
    const rest = paths.flatMap(([first, ...more]) => (first === '[]' ? [more] : []));
    return value.map((item) => picked(item as Json, rest));
  }
  if (typeof value !== 'object' || value === null) return value;
  const names = [...new Set(paths.map(([first = '']) => first))];
  const entries = names.flatMap((name): [string, Json][] => {
    const inner = (value as JsonObject)[name];
    if (inner === undefined) return [];
    const rest = paths.flatMap(([first, ...more]) => (first === name ? [more] : []));
    return [[name, picked(inner, rest)]];
  });
  return Object.fromEntries(entries);
}

/** Lists without an order, in one. */
export function ordered(call: string, answer: Json): Json {
  const own = new Set(UNORDERED[call] ?? []);
  const walk = (value: Json, name: string, isSet: boolean): Json => {
    if (Array.isArray(value)) {
      const items = value.map((item) => walk(item as Json, '', false));
      return isSet || own.has(name) || SETS.has(name) ? items.sort(byText) : items;
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value as JsonObject);
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, walk(inner, key, own.has(name))]),
    );
  };
  return walk(answer, '', false);
}

function byText(a: Json, b: Json): number {
  const [one, other] = [JSON.stringify(a), JSON.stringify(b)];
  return one < other ? -1 : Number(one > other);
}
