/**
 * What each role may do, read from the template: the security properties that the design states,
 * each as a rule over all statements rather than a copy of them.
 */
import { describe, expect, it } from 'vitest';
import { allow } from '../../infra/permissions/statement.ts';
import { FUNCTION_NAMES, type FunctionName } from '../../infra/settings.ts';
import { type Properties, type Statement, synthesize } from './support/synthesis.ts';

const { template } = synthesize({ alarmEmail: 'ops@example.com' });
const all = template.allStatements();

const of = (name: FunctionName) => template.statements(`nullplane-${name}`);
const actionsOf = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => Action);
const allowing = (statements: readonly Statement[], action: string) =>
  statements.filter(({ Action }) => Action.includes(action));
const text = (value: unknown) => JSON.stringify(value);

describe('every role', () => {
  it('is allowed actions by name', () => {
    expect(all.length).toBeGreaterThan(30);
    expect(actionsOf(all).filter((action) => action.includes('*'))).toEqual([]);
    const wild = { sid: 'X', actions: ['s3:*'], resources: ['*'] };
    expect(() => allow(wild)).toThrow('wildcard');
  });

  it('is allowed all resources only where AWS knows none, or under a condition', () => {
    const unlimited = all
      .filter(({ Resource, Condition }) => Resource.includes('*') && !Condition)
      .flatMap(({ Action }) => Action);
    expect([...new Set(unlimited)].sort()).toEqual([
      'ecr:GetAuthorizationToken',
      'ecs:DescribeTaskDefinition',
      'ecs:DiscoverPollEndpoint',
      'ecs:RegisterTaskDefinition',
      'ssm:DescribeParameters',
    ]);
  });

  it('lists and changes tasks and instances of its own cluster only', () => {
    const onCluster = /^ecs:(ListTasks|DescribeTasks|StopTask|RunTask|Poll|StartTelemetrySession)$/;
    const statements = all.filter(({ Action }) => Action.some((action) => onCluster.test(action)));
    expect(statements.length).toBeGreaterThan(5);
    for (const { Condition } of statements) {
      expect(Condition?.['ArnEquals']).toHaveProperty('ecs:cluster');
    }
  });

  it('is taken up by one service', () => {
    const services = template.all('AWS::IAM::Role').map(([, role]) => {
      const [statement] = (role['AssumeRolePolicyDocument'] as Properties)['Statement'] as [
        Properties,
      ];
      return [
        String(role['RoleName']),
        (statement['Principal'] as Properties)['Service'] as string,
      ];
    });
    expect(Object.fromEntries(services.filter(([name]) => name !== 'undefined'))).toEqual({
      ...Object.fromEntries(FUNCTION_NAMES.map((n) => [`nullplane-${n}`, 'lambda.amazonaws.com'])),
      'nullplane-execution': 'ecs-tasks.amazonaws.com',
      'nullplane-task': 'ecs-tasks.amazonaws.com',
      'nullplane-node': 'ec2.amazonaws.com',
      'nullplane-sweep': 'scheduler.amazonaws.com',
    });
  });
});

describe('passing roles', () => {
  const passing = allowing(all, 'iam:PassRole');

  it('is the reconciler’s right alone', () => {
    expect(passing).toEqual(allowing(of('reconciler'), 'iam:PassRole'));
  });

  it('reaches task roles by their path, and the node’s role, each for one service', () => {
    const shown = passing.map(({ Resource, Condition }) => {
      const [service] = Object.values(
        (Condition?.['StringEquals'] ?? {}) as Properties,
      ) as string[];
      return [service, text(Resource)];
    });
    expect(shown).toHaveLength(2);
    const [[toTasks, tasks = ''] = [], [toNodes, node = ''] = []] = shown;
    expect(toTasks).toBe('ecs-tasks.amazonaws.com');
    expect(tasks).toContain(':role/nullplane/nullplane/tasks/*');
    expect(toNodes).toBe('ec2.amazonaws.com');
    expect(node).toMatch(/^\[\{"Fn::GetAtt":\["ClusterInstanceRole\w+","Arn"\]\}\]$/);
  });

  it('reaches no role of a function: those stand in another path', () => {
    const paths = template.all('AWS::IAM::Role').map(([, role]) => {
      return [role['RoleName'] as string, role['Path'] as string] as const;
    });
    const passable = paths.filter(([, path]) => String(path).endsWith('/tasks/'));
    expect(passable.map(([name]) => name)).toEqual(['nullplane-execution', 'nullplane-task']);
  });
});

describe('secrets', () => {
  const readers = ['ssm:GetParameters', 'ssm:GetParameter', 'ssm:GetParametersByPath'];
  const readsVault = (statements: readonly Statement[]) =>
    readers
      .flatMap((action) => allowing(statements, action))
      .filter(({ Resource }) => text(Resource).includes('parameter/nullplane/'));

  it('are read by the API and by ECS itself, under the installation’s prefix', () => {
    for (const name of FUNCTION_NAMES) expect(readsVault(of(name)).length > 0).toBe(name === 'api');
    const [byEcs] = readsVault(template.statements('nullplane-execution'));
    expect(text(byEcs?.Resource)).toContain('parameter/nullplane/nullplane/*');
    expect(readsVault(all)).toHaveLength(2);
  });

  it('are written by the API, which runs no tasks', () => {
    expect(allowing(all, 'ssm:PutParameter')).toEqual(allowing(of('api'), 'ssm:PutParameter'));
    expect(actionsOf(of('api'))).not.toContain('ecs:RunTask');
  });
});

describe('tasks and nodes', () => {
  it('a task may do nothing', () => {
    expect(template.statements('nullplane-task')).toEqual([]);
  });

  it('unless exec is asked for: then it may open channels', () => {
    const actions = actionsOf(synthesize({ exec: true }).template.statements('nullplane-task'));
    expect(actions).toHaveLength(4);
    expect(actions.every((action) => /^ssmmessages:(Create|Open)/.test(action))).toBe(true);
  });

  it('a node may be an agent, and read nothing', () => {
    const actions = actionsOf(template.statements('nullplane-node'));
    expect(actions.filter((action) => !action.startsWith('ecs:'))).toEqual([]);
  });

  it('a node asks for a token one hop away, and its disk is encrypted', () => {
    const { LaunchTemplateData } = template.one('AWS::EC2::LaunchTemplate');
    const { MetadataOptions, BlockDeviceMappings, UserData } = LaunchTemplateData as Properties;
    expect(MetadataOptions).toMatchObject({ HttpTokens: 'required', HttpPutResponseHopLimit: 1 });
    const [disk] = BlockDeviceMappings as [Properties];
    expect((disk['Ebs'] as Properties)['Encrypted']).toBe(true);
    expect(text(UserData)).toContain('ECS_AWSVPC_BLOCK_IMDS=true');
    expect(text(UserData)).toContain('ECS_CLUSTER=nullplane');
  });

  it('instances are launched with the installation’s tag, and ended only with it', () => {
    const tag = 'nullplane:installation';
    const made = allowing(of('reconciler'), 'ec2:RunInstances').filter(({ Resource }) =>
      text(Resource).includes(':instance/*'),
    );
    const equal = (statement: Statement | undefined) =>
      (statement?.Condition?.['StringEquals'] ?? {}) as Properties;
    expect(made.map((statement) => equal(statement)[`aws:RequestTag/${tag}`] as string)).toEqual([
      'nullplane',
    ]);
    const [ending, ...others] = allowing(all, 'ec2:TerminateInstances');
    expect(equal(ending)[`aws:ResourceTag/${tag}`]).toBe('nullplane');
    expect(others).toEqual([]);
    const [tagging] = allowing(all, 'ec2:CreateTags');
    expect(equal(tagging)).toHaveProperty('ec2:CreateAction');
  });
});

describe('functions', () => {
  it('receive from one queue at most, the router from the stream alone', () => {
    const received = FUNCTION_NAMES.map((name) => {
      return [name, allowing(of(name), 'sqs:ReceiveMessage').flatMap((s) => s.Resource).length];
    });
    expect(Object.fromEntries(received)).toEqual({
      ...{ api: 0, router: 0, reconciler: 1, scheduler: 1, health: 1 },
    });
  });

  it('never scan the table', () => {
    expect(actionsOf(all)).not.toContain('dynamodb:Scan');
    expect(actionsOf(all)).toContain('dynamodb:Query');
  });

  it('the scheduler may ask which zones there are, and nothing else of EC2 or ECS', () => {
    const asked = actionsOf(of('scheduler')).filter((action) => /^(ec2|ecs):/.test(action));
    expect(asked).toEqual(['ec2:DescribeSubnets']);
  });

  it('only the reconciler runs tasks and launches instances', () => {
    for (const action of ['ecs:RunTask', 'ec2:CreateFleet', 'ecs:RegisterTaskDefinition']) {
      expect(allowing(all, action)).toEqual(allowing(of('reconciler'), action));
    }
  });
});
