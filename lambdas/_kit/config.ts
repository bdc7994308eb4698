/**
 * What a function is told by its environment, checked once at the cold start: the stack sets it
 * (`infra/functions.ts`), and a function that lacks a part of it says which.
 */

import { NODE_IMAGE_NAMES, type NodeImage } from '../../shared/api/node-images.ts';

export interface QueueConfig {
  readonly url: string;
  readonly deadLettersUrl: string;
}

export interface Config {
  readonly installation: string;
  /** Nullplane's own. */
  readonly version: string;
  readonly region: string;
  readonly table: string;
  readonly queues: {
    readonly [name in 'reconcile' | 'schedule' | 'health']: QueueConfig;
  };
  readonly cluster: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  readonly assignPublicIp: boolean;
  readonly executionRoleArn: string;
  /** What pods run as; without one they run as nobody. */
  readonly taskRoleArn?: string;
  readonly logGroup: string;
  readonly filesImage: string;
  readonly launchTemplateId: string;
  readonly launchTemplateVersion: string;
  readonly nodeImage: NodeImage;
  /** Whether the account gives its container instances trunk interfaces (`awsvpcTrunking`). */
  readonly awsvpcTrunking: boolean;
  /** Members of `system:masters`. */
  readonly adminArns: readonly string[];
  /** Of the names of SSM's parameters; without a slash at its end. */
  readonly vaultPrefix: string;
  /** How many reconcilers work at a time. */
  readonly reconcilers: number;
  /** Whether the gateway passes an answer on as it comes. */
  readonly streaming: boolean;
  /** Where measures go in CloudWatch; without it they are dropped. */
  readonly metricNamespace?: string;
  /** In place of AWS's own STS: for emulators. */
  readonly stsEndpoint?: string;
}

export type Environment = { readonly [name: string]: string | undefined };

/** Throws an Error that names the variable and says what is expected of it. */
export function configOf(env: Environment): Config {
  const queue = (name: string): QueueConfig => ({
    url: url(env, `NULLPLANE_${name}_QUEUE_URL`),
    deadLettersUrl: url(env, `NULLPLANE_${name}_DLQ_URL`),
  });
  const taskRoleArn = env['NULLPLANE_TASK_ROLE_ARN'];
  const metricNamespace = env['NULLPLANE_METRIC_NAMESPACE'];
  // Who vouches for callers is nothing that a variable of the SDK may decide by the way.
  const stsEndpoint = env['NULLPLANE_STS_ENDPOINT'];
  return {
    installation: text(env, 'NULLPLANE_INSTALLATION'),
    version: text(env, 'NULLPLANE_VERSION'),
    region: text(env, 'AWS_REGION'),
    table: text(env, 'NULLPLANE_TABLE'),
    queues: {
      reconcile: queue('RECONCILE'),
      schedule: queue('SCHEDULE'),
      health: queue('HEALTH'),
    },
    cluster: text(env, 'NULLPLANE_ECS_CLUSTER'),
    subnets: list(env, 'NULLPLANE_SUBNETS', 1),
    securityGroups: list(env, 'NULLPLANE_SECURITY_GROUPS', 1),
    assignPublicIp: flag(env, 'NULLPLANE_ASSIGN_PUBLIC_IP'),
    executionRoleArn: text(env, 'NULLPLANE_EXECUTION_ROLE_ARN'),
    ...(taskRoleArn ? { taskRoleArn } : {}),
    logGroup: text(env, 'NULLPLANE_LOG_GROUP'),
    filesImage: text(env, 'NULLPLANE_FILES_IMAGE'),
    launchTemplateId: text(env, 'NULLPLANE_LAUNCH_TEMPLATE_ID'),
    launchTemplateVersion: text(env, 'NULLPLANE_LAUNCH_TEMPLATE_VERSION'),
    nodeImage: nodeImage(env, 'NULLPLANE_NODE_IMAGE'),
    awsvpcTrunking: flag(env, 'NULLPLANE_AWSVPC_TRUNKING'),
    adminArns: list(env, 'NULLPLANE_ADMIN_ARNS', 0),
    vaultPrefix: matching(env, 'NULLPLANE_VAULT_PREFIX', /^(\/[A-Za-z0-9._-]+)+$/, 'a path'),
    reconcilers: Number(matching(env, 'NULLPLANE_RECONCILERS', /^[1-9]\d{0,3}$/, 'a number')),
    streaming: flag(env, 'NULLPLANE_STREAMING'),
    ...(metricNamespace ? { metricNamespace } : {}),
    ...(stsEndpoint ? { stsEndpoint } : {}),
  };
}

function text(env: Environment, name: string): string {
  const value = env[name] ?? '';
  if (value === '') throw new Error(`${name} is not set`);
  return value;
}

function matching(env: Environment, name: string, form: RegExp, expected: string): string {
  const value = text(env, name);
  if (!form.test(value)) throw new Error(`${name} must be ${expected}, not '${value}'`);
  return value;
}

function url(env: Environment, name: string): string {
  return matching(env, name, /^https?:\/\/\S+$/, 'a URL');
}

function flag(env: Environment, name: string): boolean {
  return matching(env, name, /^(true|false)$/, 'true or false') === 'true';
}

function nodeImage(env: Environment, name: string): NodeImage {
  const value = NODE_IMAGE_NAMES.find((image) => image === env[name]);
  if (!value) throw new Error(`${name} must be one of ${NODE_IMAGE_NAMES.join(', ')}`);
  return value;
}

/** A list of commas; empty when it is not set and may be. */
function list(env: Environment, name: string, least: number): readonly string[] {
  const items = (env[name] ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  if (items.length < least) throw new Error(`${name} is not set`);
  return items;
}
