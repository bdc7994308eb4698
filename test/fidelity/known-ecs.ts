/**
 * Where our model of ECS differs from emulators in definitions and launches, and why that is right.
 * Neither has ECS's semantics of launches: all of what is here is theirs.
 */
import { ABSENT, type Known } from './differences.ts';
import { OF_PLACES, OF_TASKS } from './known-tasks.ts';
import { BOTH, BY_PROVIDER, BY_TYPE, ECS, GUIDE, MINISTACK, model, MOTO } from './known-terms.ts';

const ofType = (steps: readonly string[]) => steps.map((step) => `${BY_TYPE} / ${step}`);
const limits = (by: string, steps: readonly string[]) =>
  steps.map((step) => `limits, by a ${by} / ${step}`);

/** Requests that ECS refuses before it looks for room. */
const TOO_MUCH = [
  'more than ten',
  'none',
  'a token too long',
  'a starter too long',
  'an override of another container',
  'overrides too long',
];
const WITH_PROVIDER = ['a weight of nothing', 'another provider'];
const NO_TWINS = ['is the same task', 'launches nothing', 'is listed no more'];

const DEFINITIONS: readonly Known[] = [
  {
    ...model,
    of: BOTH,
    where: ['definitions / the family is the active one'],
    path: 'taskDefinition.*',
    because: 'emulators take a family for its latest revision, whether it is active or not',
    source: `${ECS}, DescribeTaskDefinition, taskDefinition: the latest ACTIVE revision`,
  },
  {
    ...model,
    of: BOTH,
    where: ['definitions / a family of which none is active'],
    path: 'error',
    ours: 'ClientException',
    theirs: ABSENT,
    because: 'the same: there is no active revision',
    source: `${ECS}, DescribeTaskDefinition, taskDefinition: the latest ACTIVE revision`,
  },
  {
    ...model,
    of: MINISTACK,
    where: ['definitions / is launched no more'],
    path: 'error',
    ours: 'ClientException',
    theirs: ABSENT,
    because: 'MiniStack launches from an inactive definition',
    source: `${ECS}, DeregisterTaskDefinition: no new tasks from an INACTIVE revision`,
  },
  {
    ...model,
    of: BOTH,
    where: [
      'definitions / a size that Fargate has not',
      'definitions / Fargate without awsvpc',
      'definitions / two containers of a name',
    ],
    path: 'error',
    ours: 'ClientException',
    theirs: ABSENT,
    because: 'emulators do not check definitions',
    source: `${ECS}, RegisterTaskDefinition, cpu, networkMode; ContainerDefinition, name`,
  },
  {
    ...model,
    of: MINISTACK,
    where: ['definitions / no memory'],
    path: 'error',
    ours: 'ClientException',
    theirs: ABSENT,
    because: 'MiniStack does not ask for memory',
    source: `${ECS}, ContainerDefinition, memory: a task's or a container's must be given`,
  },
  {
    ...model,
    of: MOTO,
    where: ['definitions / no container'],
    path: 'error',
    ours: 'ClientException',
    theirs: ABSENT,
    because: 'moto takes a definition without containers',
    source: `${ECS}, RegisterTaskDefinition, containerDefinitions: required`,
  },
  {
    ...model,
    of: MINISTACK,
    where: [
      'tasks on machines / a definition',
      'tasks on machines / a definition that is too large',
    ],
    path: 'taskDefinition.*',
    ours: ABSENT,
    because: 'MiniStack gives a definition a size that has none of its own',
    source: `${ECS}, TaskDefinition, cpu: optional on EC2`,
  },
];

const LAUNCHES: readonly Known[] = [
  {
    ...model,
    of: MINISTACK,
    where: ['clusters / tasks of one that there is not', 'clusters / a launch in it'],
    path: 'error',
    ours: 'ClusterNotFoundException',
    because: 'MiniStack knows any cluster (and here no definition to launch)',
    source: `${ECS}, RunTask and ListTasks, errors`,
  },
  {
    ...model,
    of: BOTH,
    where: [
      ...limits('launch type', TOO_MUCH),
      'limits, by a capacity provider / a launch type as well',
      'pages of tasks / a starter and a family',
    ],
    path: 'error',
    ours: 'InvalidParameterException',
    theirs: ABSENT,
    because: 'emulators do not check limits of requests',
    source: `${ECS}, RunTask, count, clientToken, startedBy, overrides; ListTasks, startedBy`,
  },
  {
    ...model,
    of: MINISTACK,
    where: [
      ...limits('capacity provider', [...TOO_MUCH, 'no network', ...WITH_PROVIDER]),
      'limits, by a launch type / no network',
      'what is not there / no task at all',
    ],
    path: 'error',
    ours: 'InvalidParameterException',
    theirs: ABSENT,
    because: 'MiniStack does not check these either',
    source: `${ECS}, RunTask, networkConfiguration, capacityProviderStrategy; DescribeTasks, tasks`,
  },
  {
    ...model,
    of: MOTO,
    where: [
      ...limits('capacity provider', [...TOO_MUCH, 'no network', ...WITH_PROVIDER]),
      `${BY_PROVIDER} / the token for something else`,
      'definitions / is launched no more',
      'what is not there / a stop of a task',
      'tasks on machines / no machine in the cluster',
    ],
    path: 'error',
    theirs: 'SyntaxError',
    because: 'moto fails with a page of HTML: it has no capacity providers and looks for instances',
    source: `${ECS}, RunTask and StopTask, errors`,
  },
  {
    ...model,
    of: MOTO,
    where: [
      ...['a launch', 'the same once more', 'the token after its end', 'another token'].map(
        (step) => `${BY_PROVIDER} / ${step}`,
      ),
      'limits, by a capacity provider / a Spot task',
      'what is not there / a container instance',
    ],
    path: 'error',
    ours: ABSENT,
    theirs: 'SyntaxError',
    because: 'the same, where ECS launches or lists what is missing',
    source: `${ECS}, RunTask, capacityProviderStrategy; DescribeContainerInstances, failures`,
  },
  {
    ...model,
    of: MOTO,
    where: [`${BY_PROVIDER} / *`],
    path: 'taskArns',
    theirs: ABSENT,
    because: 'moto has launched nothing by a capacity provider',
    source: `${ECS}, RunTask, capacityProviderStrategy`,
  },
  {
    ...model,
    of: BOTH,
    where: ['limits, by a launch type / nothing was launched'],
    path: 'taskArns',
    ours: ABSENT,
    because: 'emulators launched what ECS refuses',
    source: `${ECS}, RunTask`,
  },
  {
    ...model,
    of: MINISTACK,
    where: ['limits, by a capacity provider / nothing was launched'],
    path: 'taskArns',
    ours: ABSENT,
    because: 'the same',
    source: `${ECS}, RunTask`,
  },
  {
    ...model,
    of: MINISTACK,
    where: ['limits, by a capacity provider / a Spot task'],
    path: 'tasks[].taskArn',
    because: 'the same: it is not the first',
    source: `${ECS}, RunTask`,
  },
];

const TOKENS: readonly Known[] = [
  {
    ...model,
    of: BOTH,
    where: ofType(['the same once more', 'another token', 'the token after its end']),
    path: 'tasks[].taskArn',
    because: 'emulators launch again under a client token',
    source: `${GUIDE}, Ensuring idempotency`,
  },
  {
    ...model,
    of: BOTH,
    where: ofType(['the token for something else']),
    path: 'error',
    ours: 'ConflictException',
    theirs: ABSENT,
    because: 'emulators do not remember client tokens',
    source: `${ECS}, RunTask, ConflictException`,
  },
  {
    ...model,
    of: BOTH,
    where: ofType(NO_TWINS),
    path: 'taskArns',
    because: 'the tasks that emulators launched again',
    source: `${GUIDE}, Ensuring idempotency`,
  },
  {
    ...model,
    of: BOTH,
    where: ofType(['the token after its end']),
    path: 'tasks[].*',
    because: 'a token stands for its task after its end, too; emulators launch another',
    source: `${GUIDE}, Ensuring idempotency`,
  },
  {
    ...model,
    of: MINISTACK,
    where: ['the same once more', 'another token', 'the token after its end'].map(
      (step) => `${BY_PROVIDER} / ${step}`,
    ),
    path: 'tasks[].taskArn',
    because: 'as by a launch type',
    source: `${GUIDE}, Ensuring idempotency`,
  },
  {
    ...model,
    of: MINISTACK,
    where: [`${BY_PROVIDER} / the token for something else`],
    path: 'error',
    ours: 'ConflictException',
    theirs: ABSENT,
    because: 'as by a launch type',
    source: `${ECS}, RunTask, ConflictException`,
  },
  {
    ...model,
    of: MINISTACK,
    where: NO_TWINS.map((step) => `${BY_PROVIDER} / ${step}`),
    path: 'taskArns',
    because: 'as by a launch type',
    source: `${GUIDE}, Ensuring idempotency`,
  },
  {
    ...model,
    of: MINISTACK,
    where: [`${BY_PROVIDER} / the token after its end`],
    path: 'tasks[].*',
    because: 'as by a launch type',
    source: `${GUIDE}, Ensuring idempotency`,
  },
  {
    ...model,
    of: MOTO,
    where: ['tasks on machines / the same once more'],
    path: 'tasks[].taskArn',
    because: 'as on Fargate',
    source: `${GUIDE}, Ensuring idempotency`,
  },
];

export const OF_ECS: readonly Known[] = [
  ...DEFINITIONS,
  ...LAUNCHES,
  ...TOKENS,
  ...OF_TASKS,
  ...OF_PLACES,
];
