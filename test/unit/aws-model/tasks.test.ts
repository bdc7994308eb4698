/** The life of tasks, and what StopTask, DescribeTasks and ListTasks say of them. */
import { DescribeTasksCommand, ListTasksCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { Bench, CLUSTER, container, EVEN, the } from './support.ts';

describe('the life of a task', () => {
  it('goes through its stages, a version each, and tells of each', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app'));
    expect(task).toMatchObject({
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      version: 1,
    });
    await bench.pass(5_000);
    expect(await bench.describe(task)).toMatchObject({
      lastStatus: 'RUNNING',
      launchType: 'FARGATE',
    });
    await bench.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: task.taskArn }));
    await bench.pass(10_000);
    expect([...new Set(bench.told(task))]).toEqual([
      'PROVISIONING',
      'PENDING',
      'ACTIVATING',
      'RUNNING',
      'DEACTIVATING',
      'STOPPING',
      'DEPROVISIONING',
      'STOPPED',
    ]);
    const versions = bench.events.flatMap(({ detail }) => (detail.taskArn ? [detail.version] : []));
    expect(versions).toEqual(versions.map((_, i) => i + 1));
  });

  it('has real times in answers and ISO strings in events', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app'));
    expect(task.createdAt).toEqual(new Date(bench.clock.nowMs()));
    expect(bench.events[0]?.detail.createdAt).toBe(task.createdAt?.toISOString());
    expect(bench.events[0]).toMatchObject({ source: 'aws.ecs', version: '0' });
  });

  it('has an address once its interface is attached', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app'));
    expect(the(task.containers).networkInterfaces).toEqual([]);
    await bench.pass(5_000);
    const running = await bench.describe(task);
    const ip = the(the(running.containers).networkInterfaces).privateIpv4Address;
    expect(ip).toMatch(/^10\.\d+\.\d+\.\d+$/);
    const attachment = the(running.attachments);
    expect(attachment).toMatchObject({ type: 'ElasticNetworkInterface', status: 'ATTACHED' });
    expect(attachment.details).toContainEqual({ name: 'privateIPv4Address', value: ip });
  });

  it('stops when an essential container ends, and stops the others', async () => {
    const bench = new Bench();
    const task = await bench.start(
      container('app', { exitCode: 7, exitAfterMs: 1000 }),
      container('side', undefined, { essential: false }),
    );
    await bench.pass(10_000);
    const ended = await bench.describe(task);
    expect(ended).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
    });
    expect(ended.containers?.map(({ exitCode }) => exitCode)).toEqual([7, 143]);
  });

  it('keeps on when a container that is not essential ends', async () => {
    const bench = new Bench();
    const side = container('side', { exitCode: 3 }, { essential: false });
    const task = await bench.start(container('app'), side);
    await bench.pass(10_000);
    const running = await bench.describe(task);
    expect(running.lastStatus).toBe('RUNNING');
    expect(running.containers?.[1]).toMatchObject({ lastStatus: 'STOPPED', exitCode: 3 });
  });

  it('fails to start when an image is missing', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app', undefined, { image: 'does-not-exist:1' }));
    await bench.pass(10_000);
    const ended = await bench.describe(task);
    expect(ended).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' });
    expect(ended.stoppedReason).toMatch(/^CannotPullContainerError/);
    expect(ended.startedAt).toBeUndefined();
    expect(the(ended.containers).exitCode).toBeUndefined();
  });

  it('fails to start when its log group is missing', async () => {
    const bench = new Bench({ logGroups: [] });
    const task = await bench.start(container('app'));
    await bench.pass(10_000);
    expect((await bench.describe(task)).stoppedReason).toMatch(/^ResourceInitializationError/);
  });

  it('says nothing of health in events, and makes no version of it', async () => {
    const bench = new Bench();
    const healthCheck = { command: ['CMD', 'true'], interval: 5, retries: 2 };
    const task = await bench.start(container('app', undefined, { healthCheck }));
    await bench.pass(3_000);
    const before = await bench.describe(task);
    expect(before).toMatchObject({ lastStatus: 'RUNNING', healthStatus: 'UNKNOWN' });
    await bench.pass(5_000);
    const after = await bench.describe(task);
    expect(after).toMatchObject({ healthStatus: 'HEALTHY', version: before.version });
    expect(JSON.stringify(bench.events)).not.toContain('healthStatus');
  });
});

describe('containers that wait for others', () => {
  it.each(['COMPLETE', 'SUCCESS'] as const)(
    'wait for %s, and the task is PENDING',
    async (condition) => {
      const bench = new Bench();
      const task = await bench.start(
        container('init', { exitCode: 0, exitAfterMs: 5_000 }, { essential: false }),
        container('app', undefined, { dependsOn: [{ containerName: 'init', condition }] }),
      );
      await bench.pass(4_000);
      const waiting = await bench.describe(task);
      expect(waiting.lastStatus).toBe('PENDING');
      expect(waiting.containers?.map(({ lastStatus }) => lastStatus)).toEqual([
        'RUNNING',
        'PENDING',
      ]);
      await bench.pass(5_000);
      expect((await bench.describe(task)).lastStatus).toBe('RUNNING');
    },
  );

  it('are told of as they start and end, a version each', async () => {
    const bench = new Bench();
    await bench.start(
      container('init', { exitCode: 0, exitAfterMs: 5_000 }, { essential: false }),
      container('app', undefined, {
        dependsOn: [{ containerName: 'init', condition: 'SUCCESS' }],
      }),
    );
    await bench.pass(10_000);
    const states = bench.events.map(({ detail }) => {
      const containers = detail.containers as { lastStatus: string }[];
      return containers.map(({ lastStatus }) => lastStatus).join();
    });
    expect([...new Set(states)]).toEqual([
      'PENDING,PENDING',
      'RUNNING,PENDING',
      'STOPPED,PENDING',
      'STOPPED,RUNNING',
    ]);
  });

  it('never start when SUCCESS has become impossible', async () => {
    const bench = new Bench();
    const task = await bench.start(
      container('init', { exitCode: 9 }, { essential: false }),
      container('app', undefined, {
        dependsOn: [{ containerName: 'init', condition: 'SUCCESS' }],
      }),
    );
    await bench.pass(10_000);
    const ended = await bench.describe(task);
    expect(ended).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' });
    expect(ended.containers?.map(({ exitCode }) => exitCode)).toEqual([9, undefined]);
  });

  it('wait for HEALTHY', async () => {
    const bench = new Bench();
    const healthCheck = { command: ['CMD', 'true'], interval: 5 };
    const task = await bench.start(
      container('db', { readyAfterMs: 12_000 }, { healthCheck }),
      container('app', undefined, { dependsOn: [{ containerName: 'db', condition: 'HEALTHY' }] }),
    );
    await bench.pass(16_000);
    expect((await bench.describe(task)).containers?.[1]?.lastStatus).toBe('PENDING');
    await bench.pass(2_000);
    expect((await bench.describe(task)).lastStatus).toBe('RUNNING');
  });

  it('are stopped before those that they need', async () => {
    const bench = new Bench();
    const task = await bench.start(
      container('db'),
      container('app', undefined, { dependsOn: [{ containerName: 'db', condition: 'START' }] }),
    );
    await bench.pass(5_000);
    await bench.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task: task.taskArn }));
    await bench.pass(700);
    const stopping = await bench.describe(task);
    expect(stopping.containers?.map(({ lastStatus }) => lastStatus)).toEqual([
      'RUNNING',
      'STOPPED',
    ]);
  });
});

describe('StopTask', () => {
  const stop = (bench: Bench, task: string | undefined) =>
    bench.ecs.send(new StopTaskCommand({ cluster: CLUSTER, task, reason: 'because' }));

  it('ends a container within a second when it heeds SIGTERM', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app'));
    await bench.pass(5_000);
    await stop(bench, task.taskArn);
    await bench.pass(3_000);
    const ended = await bench.describe(task);
    expect(ended).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'because' });
    expect(the(ended.containers).exitCode).toBe(143);
  });

  it('kills it when its time is over', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app', { ignoresTerm: true }, { stopTimeout: 60 }));
    await bench.pass(5_000);
    await stop(bench, task.taskArn);
    await bench.pass(59_000);
    expect((await bench.describe(task)).lastStatus).toBe('STOPPING');
    await bench.pass(5_000);
    expect(the((await bench.describe(task)).containers).exitCode).toBe(137);
  });

  it('is harmless twice, and the first reason stays', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app', { exitCode: 1 }));
    await bench.pass(10_000);
    const before = await bench.describe(task);
    await stop(bench, task.taskArn);
    await bench.pass(10_000);
    expect(await bench.describe(task)).toEqual(before);
  });

  it('takes the tags away', async () => {
    const bench = new Bench();
    const answer = await bench.run(await bench.define(), { tags: [{ key: 'a', value: 'b' }] });
    const task = the(answer.tasks);
    const tags = async () => {
      const input = { cluster: CLUSTER, tasks: [task.taskArn ?? ''], include: ['TAGS' as const] };
      return the((await bench.ecs.send(new DescribeTasksCommand(input))).tasks).tags;
    };
    expect(await tags()).toEqual([{ key: 'a', value: 'b' }]);
    await stop(bench, task.taskArn);
    expect(await tags()).toEqual([]);
  });

  it('refuses a task that it does not know', async () => {
    await expect(stop(new Bench(), 'nobody')).rejects.toThrow('The referenced task was not found');
  });
});

describe('DescribeTasks', () => {
  it('says which are MISSING, and forgets stopped ones after an hour', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app', { exitCode: 0 }));
    const ask = () => {
      const input = { cluster: CLUSTER, tasks: [task.taskArn ?? '', 'unknown'] };
      return bench.ecs.send(new DescribeTasksCommand(input));
    };
    await bench.pass(3_500_000);
    const first = await ask();
    expect(first.tasks).toHaveLength(1);
    expect(first.failures).toMatchObject([{ reason: 'MISSING' }]);
    await bench.pass(200_000);
    expect((await ask()).failures).toHaveLength(2);
  });

  it('takes a hundred at most', async () => {
    const tasks = Array.from({ length: 101 }, (_, i) => `task-${i}`);
    const call = new Bench().ecs.send(new DescribeTasksCommand({ cluster: CLUSTER, tasks }));
    await expect(call).rejects.toThrow('At most 100');
  });
});

describe('ListTasks', () => {
  const list = async (bench: Bench, given: object = {}) => {
    const answer = await bench.ecs.send(new ListTasksCommand({ cluster: CLUSTER, ...given }));
    return answer.taskArns ?? [];
  };

  it('misses a new task for a while', async () => {
    const bench = new Bench({ latencies: { ...EVEN, listLagMs: 3_000 } });
    const task = await bench.start(container('app'));
    expect(await list(bench)).toEqual([]);
    await bench.pass(3_000);
    expect(await list(bench)).toEqual([task.taskArn]);
  });

  it('has RUNNING ones, unless it is asked for the others', async () => {
    const bench = new Bench();
    const task = await bench.start(container('app', { exitCode: 0 }));
    await bench.pass(10_000);
    expect(await list(bench)).toEqual([]);
    expect(await list(bench, { desiredStatus: 'STOPPED' })).toEqual([task.taskArn]);
  });

  it('finds by startedBy, which stands alone', async () => {
    const bench = new Bench();
    const definition = await bench.define();
    await bench.run(definition, { startedBy: 'one' });
    const two = the((await bench.run(definition, { startedBy: 'two' })).tasks);
    expect(await list(bench, { startedBy: 'two' })).toEqual([two.taskArn]);
    const both = list(bench, { startedBy: 'two', family: 'shape' });
    await expect(both).rejects.toThrow('startedBy must be the only filter');
  });

  it('pages by a hundred', async () => {
    const bench = new Bench();
    const definition = await bench.define();
    for (let i = 0; i < 11; i++) await bench.run(definition, { count: 10 });
    const first = await bench.ecs.send(new ListTasksCommand({ cluster: CLUSTER }));
    expect(first.taskArns).toHaveLength(100);
    const rest = await list(bench, { nextToken: first.nextToken });
    expect(rest).toHaveLength(10);
  });
});
