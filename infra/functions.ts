/**
 * The functions: one role, one log group, one bundle each. Owns what they are told by environment;
 * `lambdas/_kit/config.ts` reads it.
 */
import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundles, HANDLER } from './bundling.ts';
import type { Options } from './options.ts';
import { functionStatements, type Resources } from './permissions/functions.ts';
import { allow, documentOf } from './permissions/statement.ts';
import { capital } from './queues.ts';
import {
  BUFFERED_TIMEOUT_SECONDS,
  FUNCTION_NAMES,
  type FunctionName,
  FUNCTIONS,
} from './settings.ts';

const { version: VERSION } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'),
) as { version: string };

const METRIC_NAMESPACE = 'Nullplane';

export interface FunctionsProps {
  readonly options: Options;
  readonly bundles: Bundles;
  readonly resources: Resources;
}

export class Functions extends Construct {
  readonly of: { readonly [name in FunctionName]: Function };
  readonly #props: FunctionsProps;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    this.#props = props;
    const entries = FUNCTION_NAMES.map((name) => [name, this.#function(name)] as const);
    this.of = Object.fromEntries(entries) as { [name in FunctionName]: Function };
  }

  #function(name: FunctionName): Function {
    const { options, bundles } = this.#props;
    const { memoryMiB, reserved, description } = FUNCTIONS[name];
    const functionName = `${options.installation}-${name}`;
    const logGroup = this.#logs(name, functionName);
    return new Function(this, capital(name), {
      functionName,
      description,
      role: this.#role(name, functionName),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: HANDLER,
      code: Code.fromAsset(bundles[name]),
      memorySize: memoryMiB,
      ephemeralStorageSize: Size.mebibytes(512),
      timeout: Duration.seconds(this.#timeoutSeconds(name)),
      environment: this.#environment(),
      tracing: options.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      logGroup,
      // What our recorder writes is JSON already; of the platform's own lines only warnings count.
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel.WARN,
      ...(options.reservedConcurrency
        ? { reservedConcurrentExecutions: this.#reserved(name, reserved) }
        : {}),
    });
  }

  #timeoutSeconds(name: FunctionName): number {
    const isBuffered = name === 'api' && this.#props.options.api !== 'rest';
    return isBuffered ? BUFFERED_TIMEOUT_SECONDS : FUNCTIONS[name].timeoutSeconds;
  }

  /** Less than what the queues may invoke would throttle them, which uses up receives. */
  #reserved(name: FunctionName, reserved: number): number {
    return name === 'reconciler' ? this.#props.options.reconcilers : reserved;
  }

  #logs(name: FunctionName, functionName: string): LogGroup {
    return new LogGroup(this, `${capital(name)}Logs`, {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: this.#props.options.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  #role(name: FunctionName, functionName: string): Role {
    const stack = Stack.of(this);
    const logs = allow({
      sid: 'Logs',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [
        stack.formatArn({
          service: 'logs',
          resource: `log-group:/aws/lambda/${functionName}:*`,
        }),
      ],
    });
    return new Role(this, `${capital(name)}Role`, {
      roleName: functionName,
      path: `/nullplane/${this.#props.options.installation}/functions/`,
      description: FUNCTIONS[name].description,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        logs: documentOf([logs]),
        work: documentOf(functionStatements(name, this.#props.resources)),
      },
    });
  }

  #environment(): { [name: string]: string } {
    const { options, resources } = this.#props;
    const { queues, cluster, storage } = resources;
    const { work, deadLetters } = queues;
    const { network } = cluster;
    return {
      NULLPLANE_INSTALLATION: options.installation,
      NULLPLANE_VERSION: VERSION,
      NULLPLANE_TABLE: storage.tableName,
      NULLPLANE_RECONCILE_QUEUE_URL: work.reconcile.queueUrl,
      NULLPLANE_SCHEDULE_QUEUE_URL: work.schedule.queueUrl,
      NULLPLANE_HEALTH_QUEUE_URL: work.health.queueUrl,
      NULLPLANE_RECONCILE_DLQ_URL: deadLetters.reconcile.queueUrl,
      NULLPLANE_SCHEDULE_DLQ_URL: deadLetters.schedule.queueUrl,
      NULLPLANE_HEALTH_DLQ_URL: deadLetters.health.queueUrl,
      NULLPLANE_ECS_CLUSTER: cluster.clusterName,
      NULLPLANE_SUBNETS: network.subnetIds.join(','),
      NULLPLANE_SECURITY_GROUPS: network.tasks.securityGroupId,
      NULLPLANE_ASSIGN_PUBLIC_IP: String(network.assignPublicIp),
      NULLPLANE_EXECUTION_ROLE_ARN: cluster.executionRole.roleArn,
      NULLPLANE_TASK_ROLE_ARN: cluster.taskRole.roleArn,
      NULLPLANE_LOG_GROUP: cluster.logs.logGroupName,
      NULLPLANE_FILES_IMAGE: options.filesImage,
      NULLPLANE_LAUNCH_TEMPLATE_ID: cluster.launchTemplate.launchTemplateId ?? '',
      NULLPLANE_LAUNCH_TEMPLATE_VERSION: cluster.launchTemplate.latestVersionNumber,
      NULLPLANE_NODE_IMAGE: options.nodeImage,
      NULLPLANE_AWSVPC_TRUNKING: String(options.awsvpcTrunking),
      NULLPLANE_ADMIN_ARNS: options.admins.join(','),
      NULLPLANE_VAULT_PREFIX: cluster.vaultPrefix,
      NULLPLANE_RECONCILERS: String(options.reconcilers),
      NULLPLANE_STREAMING: String(options.api === 'rest'),
      ...(options.metrics ? { NULLPLANE_METRIC_NAMESPACE: METRIC_NAMESPACE } : {}),
      ...(options.sourceMaps ? { NODE_OPTIONS: '--enable-source-maps' } : {}),
    };
  }
}
