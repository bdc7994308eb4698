/** The model over HTTP: the same clients, with sockets; and its controls. */
import { CloudWatchLogsClient, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeClustersCommand, ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MODEL_CLIENT } from '../../aws/model/request-handler.ts';
import { type ServedModel, serveAwsModel } from '../../aws/model/server.ts';
import { Bench, CLUSTER, container, LOG_GROUP, the } from './support.ts';

let bench: Bench;
let served: ServedModel;
let client: typeof MODEL_CLIENT & { endpoint: string };

beforeEach(async () => {
  bench = new Bench();
  served = await serveAwsModel(bench.model);
  client = { ...MODEL_CLIENT, endpoint: served.url };
});

afterEach(() => served.close());

async function post(verb: string, body: object = {}): Promise<Record<string, unknown>> {
  const options = { method: 'POST', body: JSON.stringify(body) };
  const answer = await fetch(`${served.url}/_model/${verb}`, options);
  return { status: answer.status, ...((await answer.json()) as object) };
}

describe('the server', () => {
  it('answers ECS, EC2 and Logs clients', async () => {
    const task = await bench.start(container('app', { output: ['one'] }));
    await bench.pass(5_000);
    const ecs = new ECSClient(client);
    const list = await ecs.send(new ListTasksCommand({ cluster: CLUSTER }));
    expect(list.taskArns).toEqual([task.taskArn]);
    const clusters = new DescribeClustersCommand({ clusters: [CLUSTER, 'nowhere'] });
    expect(await ecs.send(clusters)).toMatchObject({
      clusters: [{ clusterName: CLUSTER, runningTasksCount: 1 }],
      failures: [{ reason: 'MISSING' }],
    });
    const ec2 = new EC2Client(client);
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand());
    expect(Reservations).toEqual([]);
    const logs = new CloudWatchLogsClient(client);
    const streams = await logs.send(new DescribeLogStreamsCommand({ logGroupName: LOG_GROUP }));
    expect(streams.logStreams).toHaveLength(1);
  });

  it('gives errors to clients as AWS does', async () => {
    const list = new ECSClient(client).send(new ListTasksCommand({ cluster: 'nowhere' }));
    await expect(list).rejects.toMatchObject({ name: 'ClusterNotFoundException' });
    const describe = new DescribeInstancesCommand({ InstanceIds: ['i-0123456789abcdef0'] });
    const call = new EC2Client(client).send(describe);
    await expect(call).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
  });

  it('breaks the connection of a call without an answer', async () => {
    await post('faults', [{ kind: 'timeout-after', operation: 'ListTasks' }]);
    const call = new ECSClient(client).send(new ListTasksCommand({ cluster: CLUSTER }));
    await expect(call).rejects.toMatchObject({ code: 'ECONNRESET' });
    await post('faults', []);
    await new ECSClient(client).send(new ListTasksCommand({ cluster: CLUSTER }));
  });

  it('refuses a protocol that it does not speak', async () => {
    const headers = { 'content-type': 'application/cbor' };
    const answer = await fetch(served.url, { method: 'POST', headers, body: 'x' });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('application/cbor');
  });
});

describe('the controls', () => {
  it('kill a task', async () => {
    const task = await bench.start(container('app'));
    await bench.pass(5_000);
    await post('kill-task', { taskArn: task.taskArn, exitCode: 3 });
    await bench.pass(5_000);
    expect(the((await bench.describe(task)).containers).exitCode).toBe(3);
  });

  it('register and stop an instance, and tell of its agent', async () => {
    const given = { ec2InstanceId: 'i-1', cpu: 2048, memoryMiB: 4096 };
    expect(await post('register-instance', given)).toMatchObject({ agentConnected: true });
    await post('agent', { ec2InstanceId: 'i-1', connected: false });
    const instance = bench.model.ecs.instances.byEc2Id('i-1');
    expect(instance?.agentConnected).toBe(false);
    await post('stop-instance', { ec2InstanceId: 'i-1' });
    expect(instance?.status).toBe('INACTIVE');
  });

  it('set capacity, and take limits off', async () => {
    await post('capacity', { fargate: { FARGATE: 0 }, ec2: { 'm5.large/*/spot': 0 } });
    expect(bench.model.ec2.fleets.capacity.get('m5.large/*/spot')).toBe(0);
    expect((await bench.run(await bench.define())).tasks).toEqual([]);
    await post('capacity', { fargate: { FARGATE: null } });
    expect((await bench.run(await bench.define())).tasks).toHaveLength(1);
  });

  it('list calls', async () => {
    await bench.define();
    const { counts } = await post('calls');
    expect(counts).toEqual({ RegisterTaskDefinition: 1 });
  });

  it('say what is wrong', async () => {
    expect(await post('nonsense')).toMatchObject({ status: 404 });
    const killed = await post('kill-task', { taskArn: 'nobody' });
    expect(killed).toMatchObject({ status: 400, error: 'No such task: nobody' });
  });
});
