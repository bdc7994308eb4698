/**
 * What a person may choose about an installation: each option once, with its default, its check and
 * the sentence that the README shows. They come from CDK's context (`cdk.json`, `-c name=value`).
 *
 * Invariant: an option that is not known here is refused, so that a typing error never silently
 * deploys the default.
 */
import { NODE_IMAGE_NAMES } from '../shared/api/node-images.ts';

/** One option; `parse` throws a RangeError that says what was expected. */
export interface Option<T> {
  /** As it stands in cdk.json. */
  readonly fallback: string | number | boolean;
  readonly says: string;
  readonly parse: (value: string) => T;
}

const flag = (fallback: boolean, says: string): Option<boolean> => ({
  fallback,
  says,
  parse: (value) => {
    if (value !== 'true' && value !== 'false') throw new RangeError('true or false');
    return value === 'true';
  },
});

const whole = (
  fallback: number,
  { least, most }: { readonly least: number; readonly most: number },
  says: string,
): Option<number> => ({
  fallback,
  says,
  parse: (value) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) {
      throw new RangeError(`a whole number from ${least} to ${most}`);
    }
    return number;
  },
});

const oneOf = <const T extends string | number>(
  fallback: NoInfer<T>,
  choices: readonly T[],
  says: string,
): Option<T> => ({
  fallback,
  says,
  parse: (value) => {
    const chosen = choices.find((choice) => String(choice) === value);
    if (chosen === undefined) throw new RangeError(`one of ${choices.join(', ')}`);
    return chosen;
  },
});

const text = (fallback: string, form: RegExp, expected: string, says: string): Option<string> => ({
  fallback,
  says,
  parse: (value) => {
    if (!form.test(value)) throw new RangeError(expected);
    return value;
  },
});

/** Comma-separated; empty when there are none. */
const list = (form: RegExp, expected: string, says: string): Option<readonly string[]> => ({
  fallback: '',
  says,
  parse: (value) => {
    const items = value === '' ? [] : value.split(',').map((item) => item.trim());
    if (!items.every((item) => form.test(item))) throw new RangeError(expected);
    return items;
  },
});

/** What CloudWatch Logs takes, up to two years. */
const RETENTIONS = [1, 3, 7, 14, 30, 60, 90, 180, 365, 731] as const;

/** FIFO and function names are made of it, with room for their endings. */
const INSTALLATION = /^[a-z][a-z0-9-]{0,22}[a-z0-9]$/;

export const OPTIONS = {
  installation: text(
    'nullplane',
    INSTALLATION,
    'lower-case letters, digits and dashes, 2 to 24 characters, a letter first',
    'name of the installation; every resource starts with it, so that several share an account',
  ),
  admins: list(
    /^arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)$/,
    'ARNs of IAM roles or users, with commas between',
    'ARNs of the IAM roles and users in `system:masters`; `npm run deploy` takes the caller',
  ),
  api: oneOf(
    'rest',
    ['rest', 'buffered-rest', 'http'],
    '`rest` streams watches and logs; `buffered-rest` and `http` end them after 25 s',
  ),
  apiRequestsPerSecond: whole(
    100,
    { least: 1, most: 10_000 },
    'what the gateway lets through; twice as many in a burst',
  ),
  gatewayLogRole: flag(
    true,
    'set the role by which API Gateway logs, an account-wide setting; `false` if there is one',
  ),
  reconcilers: whole(
    5,
    { least: 2, most: 1000 },
    'reconciler functions at a time, 10 keys each; new accounts have 10 functions in all',
  ),
  reservedConcurrency: flag(
    false,
    'reserve concurrency for the functions; not possible in new accounts',
  ),
  // One that is two minutes late is dropped, which must be less than half of the time between.
  sweepMinutes: whole(5, { least: 5, most: 60 }, 'minutes between sweeps'),
  sweep: flag(true, '`false` turns the sweep off: what events missed is no longer repaired'),
  paused: flag(
    false,
    '`true` stops all decisions: the API serves, tasks run on, nothing is started or stopped',
  ),
  network: oneOf(
    'public',
    ['public', 'private'],
    '`public`: tasks have public addresses and no NAT; `private`: one NAT gateway, $32 a month',
  ),
  zones: whole(2, { least: 1, most: 6 }, 'availability zones of the VPC that is made'),
  vpcId: text('', /^(vpc-[0-9a-f]+)?$/, 'vpc-… or nothing', 'a VPC of yours in place of a new one'),
  subnetIds: list(
    /^subnet-[0-9a-f]+$/,
    'subnet-…, with commas between',
    'with `vpcId`: the subnets of tasks; `network` says whether they get public addresses',
  ),
  nodeImage: oneOf(
    'standard',
    NODE_IMAGE_NAMES,
    'the ECS-optimized image of the launch template; machines of node pools get what they need',
  ),
  awsvpcTrunking: flag(
    false,
    'the account’s ECS setting `awsvpcTrunking` is on: more pods fit a node than it has interfaces',
  ),
  nodeDiskGiB: whole(50, { least: 30, most: 16_384 }, 'root volume of EC2 nodes, for images'),
  fargateProviders: flag(
    true,
    'let the cluster use FARGATE and FARGATE_SPOT; `false` for emulators that lack it',
  ),
  exec: flag(
    false,
    'let `aws ecs execute-command` into pods: their role may then open SSM’s channels',
  ),
  containerInsights: flag(false, 'CloudWatch Container Insights, paid by metric'),
  filesImage: text(
    'public.ecr.aws/docker/library/busybox:1.37.0',
    /^[\w./:@-]+$/,
    'an image reference',
    'the image that writes the files of ConfigMaps, Secrets and tokens before a pod starts',
  ),
  deletionProtection: flag(
    true,
    'the table outlives the stack and refuses deletion; `false` for installations to throw away',
  ),
  tableStreamArn: text(
    '',
    /^(arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[\w.-]+\/stream\/[\w:.-]+)?$/,
    'the ARN of a table stream, or nothing',
    'use this table, restored from a backup, in place of the stack’s own',
  ),
  customerManagedKey: flag(
    false,
    'encrypt the table with a KMS key of yours, rotated every year, $1 a month',
  ),
  logRetentionDays: oneOf(30, RETENTIONS, 'days that logs are kept, audit records too'),
  sourceMaps: flag(false, 'source maps in the functions: readable stacks, slower cold starts'),
  tracing: flag(false, 'X-Ray traces of the functions, paid by trace'),
  metrics: flag(false, 'metrics of queues in CloudWatch, six of them, $0.30 a month each'),
  monitoring: flag(true, 'alarms (ten metrics, within the free ones) and a dashboard'),
  alarmEmail: text(
    '',
    /^([^@\s]+@[^@\s]+)?$/,
    'an e-mail address, or nothing',
    'who is told of alarms; SNS asks them to confirm',
  ),
  eventSourcePrefix: text(
    'aws',
    /^[a-z][a-z0-9.-]*$/,
    'lower-case letters, digits, dots and dashes',
    'prefix of the sources of ECS and EC2 events; nobody may put `aws.*`, so tests put their own',
  ),
} as const satisfies { readonly [name: string]: Option<unknown> };

type OptionTable = typeof OPTIONS;

export type Options = {
  readonly [Name in keyof OptionTable]: ReturnType<OptionTable[Name]['parse']>;
};

/** The options as they stand in cdk.json. */
export function defaultContext(): { readonly [name: string]: string | number | boolean } {
  return Object.fromEntries(
    Object.entries(OPTIONS).map(([name, { fallback }]) => [name, fallback]),
  );
}

/** Throws an Error that names the option and says what is expected of it. */
export function optionsOf(context: { readonly [name: string]: unknown }): Options {
  const unknown = Object.keys(context).filter((name) => !isCdks(name) && !(name in OPTIONS));
  if (unknown.length > 0) {
    const known = Object.keys(OPTIONS).join(', ');
    throw new Error(`unknown option ${unknown.join(', ')}; the options are ${known}`);
  }
  const parsed = Object.entries<Option<unknown>>(OPTIONS).map(([name, option]) => {
    return [name, parsedOption(name, option, context[name])];
  });
  return consistent(Object.fromEntries(parsed) as Options);
}

/** Keys of CDK's own: feature flags, look-ups and what its command line passes. */
function isCdks(name: string): boolean {
  return /[@:]|^(cdk-|aws-cdk)/.test(name);
}

function parsedOption(name: string, option: Option<unknown>, value: unknown): unknown {
  const given = scalar(value ?? option.fallback);
  try {
    return option.parse(given);
  } catch (error) {
    throw new Error(`option ${name}: expected ${(error as Error).message}, got '${given}'`);
  }
}

function scalar(value: unknown): string {
  return typeof value === 'string' ? value.trim() : (JSON.stringify(value) ?? '');
}

function consistent(options: Options): Options {
  const { vpcId, subnetIds } = options;
  if ((vpcId === '') !== (subnetIds.length === 0)) {
    throw new Error('options vpcId and subnetIds go together: give both, or neither');
  }
  return options;
}
