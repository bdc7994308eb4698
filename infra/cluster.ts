/**
 * Where pods run: the ECS cluster, the roles of tasks, their logs, and how an instance joins. Owns
 * what a task and an instance may do, which is as little as they need.
 *
 * Invariants:
 *  C1 A task's own role may do nothing, unless exec is asked for; only a role in the tasks' path
 *     can be passed at all.
 *  C2 An instance can't be asked for its role by a pod: IMDSv2 only, one hop, and the agent blocks
 *     it for tasks with an address of their own.
 */
import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  BlockDeviceVolume,
  type CfnLaunchTemplate,
  EbsDeviceVolumeType,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  MachineImage,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { CfnCluster, CfnClusterCapacityProviderAssociations } from 'aws-cdk-lib/aws-ecs';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageParameter } from '../shared/api/node-images.ts';
import type { Network } from './network.ts';
import type { Options } from './options.ts';
import { INSTALLATION_TAG } from './permissions/instances.ts';
import { documentOf } from './permissions/statement.ts';
import { execStatements, executionStatements, instanceStatements } from './permissions/tasks.ts';

/** The adapter that tags instances also knows how a machine reads its tags. */
const READS_TAGS = join(import.meta.dirname, '../adapters/aws/ec2/node-user-data.sh');
const ROOT_DEVICE = '/dev/xvda';

/** `arn:…:ecs:REGION:ACCOUNT:*` */
const ANY_OF_SERVICE = ArnFormat.NO_RESOURCE_NAME;

export class Cluster extends Construct {
  readonly stack: Stack;
  readonly network: Network;
  readonly clusterName: string;
  readonly clusterArn: string;
  readonly logs: LogGroup;
  readonly executionRole: Role;
  readonly taskRole: Role;
  readonly instanceRole: Role;
  readonly launchTemplate: LaunchTemplate;
  /** Of the names of SSM's parameters; without a slash at its end. */
  readonly vaultPrefix: string;
  /** Absent where it was asked to be. */
  readonly providers: CfnClusterCapacityProviderAssociations | undefined;

  constructor(scope: Construct, id: string, network: Network, options: Options) {
    super(scope, id);
    const { installation } = options;
    this.stack = Stack.of(this);
    this.network = network;
    const { attrArn } = new CfnCluster(this, 'Cluster', {
      clusterName: installation,
      clusterSettings: [
        { name: 'containerInsights', value: options.containerInsights ? 'enabled' : 'disabled' },
      ],
    });
    this.clusterName = installation;
    this.clusterArn = attrArn;
    this.vaultPrefix = `/nullplane/${installation}`;
    this.logs = new LogGroup(this, 'TaskLogs', {
      logGroupName: `/nullplane/${installation}/tasks`,
      retention: options.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.executionRole = this.#executes(installation);
    this.taskRole = this.#runsAs(options);
    this.instanceRole = this.#instances(installation);
    this.launchTemplate = this.#template(network, options);
    this.providers = options.fargateProviders ? this.#fargate() : undefined;
  }

  /**
   * An association of its own, since a cluster can't be created with providers in an account where
   * the service-linked role of ECS is yet to be made, and creating a cluster is what makes it.
   */
  #fargate(): CfnClusterCapacityProviderAssociations {
    return new CfnClusterCapacityProviderAssociations(this, 'FargateProviders', {
      cluster: this.clusterArn,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [],
    });
  }

  #executes(installation: string): Role {
    return new Role(this, 'ExecutionRole', {
      roleName: `${installation}-execution`,
      path: tasksPath(installation),
      description: 'starts tasks: images, output, secrets by name',
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
      inlinePolicies: { starts: documentOf(executionStatements(this)) },
    });
  }

  /** ECS may take it up for tasks of this account and region, and nobody else may (C1). */
  #runsAs({ installation, exec }: Options): Role {
    const { account } = this.stack;
    const tasks = this.stack.formatArn({
      service: 'ecs',
      resource: '*',
      arnFormat: ANY_OF_SERVICE,
    });
    return new Role(this, 'TaskRole', {
      roleName: `${installation}-task`,
      path: tasksPath(installation),
      description: exec
        ? 'what pods run as: may open SSM channels'
        : 'what pods run as: may do nothing',
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': account },
          ArnLike: { 'aws:SourceArn': tasks },
        },
      }),
      ...(exec ? { inlinePolicies: { exec: documentOf(execStatements()) } } : {}),
    });
  }

  #instances(installation: string): Role {
    return new Role(this, 'InstanceRole', {
      roleName: `${installation}-node`,
      path: `/nullplane/${installation}/nodes/`,
      description: 'the ECS agent of a node',
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      inlinePolicies: { agent: documentOf(instanceStatements(this)) },
    });
  }

  #template(network: Network, options: Options): LaunchTemplate {
    const { installation } = options;
    const template = new LaunchTemplate(this, 'Nodes', {
      launchTemplateName: `${installation}-node`,
      machineImage: MachineImage.resolveSsmParameterAtLaunch(imageParameter(options.nodeImage)),
      role: this.instanceRole,
      securityGroup: network.tasks,
      requireImdsv2: true,
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      httpPutResponseHopLimit: 1,
      instanceMetadataTags: true,
      userData: joinsCluster(this.clusterName),
      blockDevices: [
        {
          deviceName: ROOT_DEVICE,
          volume: BlockDeviceVolume.ebs(options.nodeDiskGiB, {
            encrypted: true,
            volumeType: EbsDeviceVolumeType.GP3,
            deleteOnTermination: true,
          }),
        },
      ],
    });
    // Instances are tagged by who launches them, and one tag may be given once.
    const Tags = [{ Key: INSTALLATION_TAG, Value: installation }];
    (template.node.defaultChild as CfnLaunchTemplate).addPropertyOverride(
      'LaunchTemplateData.TagSpecifications',
      ['volume', 'network-interface'].map((ResourceType) => ({ ResourceType, Tags })),
    );
    return template;
  }

  /** `…:log-group:NAME`, without the wildcard that CloudFormation's own attribute ends with. */
  get logGroupArn(): string {
    return this.stack.formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `/nullplane/${this.clusterName}/tasks`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}

/** IAM's path of the roles that may be passed to tasks. */
export function tasksPath(installation: string): string {
  return `/nullplane/${installation}/tasks/`;
}

/**
 * The agent's settings. A GPU image runs on machines without GPUs as well, and then must not look
 * for them.
 */
function joinsCluster(cluster: string): UserData {
  const userData = UserData.forLinux();
  userData.addCommands(
    `cat >> /etc/ecs/ecs.config <<'SETTINGS'`,
    `ECS_CLUSTER=${cluster}`,
    'ECS_AWSVPC_BLOCK_IMDS=true',
    'ECS_ENABLE_TASK_IAM_ROLE=true',
    'ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true',
    'ECS_ENABLE_SPOT_INSTANCE_DRAINING=true',
    'SETTINGS',
    'nvidia-smi -L >/dev/null 2>&1 && echo ECS_ENABLE_GPU_SUPPORT=true >> /etc/ecs/ecs.config',
    readFileSync(READS_TAGS, 'utf8').trimEnd(),
  );
  return userData;
}
