/** What containers print, as CloudWatch Logs gives it out. */
import {
  CreateLogGroupCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { Bench, container, EVEN, LOG_GROUP, the } from './support.ts';

async function printed(output: string[], settings = {}, printEnv: string[] = []) {
  const bench = new Bench(settings);
  const environment = [{ name: 'A', value: 'own' }];
  const app = container('app', { output, printEnv }, { environment });
  const containerOverrides = [{ name: 'app', environment: [{ name: 'B', value: 'x; "y"' }] }];
  const answer = await bench.run(await bench.define([app]), { overrides: { containerOverrides } });
  await bench.pass(3_000);
  const id = the(answer.tasks).taskArn?.split('/').at(-1);
  return { bench, logStreamName: `pods/app/${id}` };
}

describe('log streams', () => {
  it('are named after prefix, container and task', async () => {
    const { bench, logStreamName } = await printed(['one']);
    const command = new DescribeLogStreamsCommand({ logGroupName: LOG_GROUP });
    expect(the((await bench.logs.send(command)).logStreams).logStreamName).toBe(logStreamName);
  });

  it('have the environment, overrides last', async () => {
    const { bench, logStreamName } = await printed([], {}, ['A', 'B', 'C']);
    const command = new GetLogEventsCommand({ logGroupName: LOG_GROUP, logStreamName });
    const { events = [] } = await bench.logs.send(command);
    expect(events.map(({ message }) => message)).toEqual(['A=own', 'B=x; "y"', 'C=']);
    expect(events[0]?.timestamp).toBeLessThanOrEqual(bench.clock.nowMs());
  });

  it('go on from the forward token, which stays at the end', async () => {
    const { bench, logStreamName } = await printed(['one', 'two', 'three']);
    const get = (given: object) => {
      const input = { logGroupName: LOG_GROUP, logStreamName, limit: 2, ...given };
      return bench.logs.send(new GetLogEventsCommand(input));
    };
    const first = await get({ startFromHead: true });
    expect(first.events?.map(({ message }) => message)).toEqual(['one', 'two']);
    const second = await get({ nextToken: first.nextForwardToken });
    expect(second.events?.map(({ message }) => message)).toEqual(['three']);
    const end = await get({ nextToken: second.nextForwardToken });
    expect(end.events).toEqual([]);
    expect(end.nextForwardToken).toBe(second.nextForwardToken);
    expect((await get({})).events?.map(({ message }) => message)).toEqual(['two', 'three']);
    const back = await get({ nextToken: second.nextBackwardToken });
    expect(back.events?.map(({ message }) => message)).toEqual(['one', 'two']);
  });

  it('are filtered by stream, word and time', async () => {
    const { bench, logStreamName } = await printed(['good news', 'bad news']);
    const filter = async (given: object) => {
      const input = { logGroupName: LOG_GROUP, ...given };
      const { events = [] } = await bench.logs.send(new FilterLogEventsCommand(input));
      return events.map(({ message }) => message);
    };
    expect(await filter({ logStreamNames: [logStreamName] })).toHaveLength(2);
    expect(await filter({ filterPattern: '"good"' })).toEqual(['good news']);
    expect(await filter({ startTime: bench.clock.nowMs() + 1 })).toEqual([]);
    expect(await filter({ logStreamNamePrefix: 'pods/other' })).toEqual([]);
  });

  it('show lines late when they are told to', async () => {
    const latencies = { ...EVEN, logLagMs: 5_000 };
    const { bench, logStreamName } = await printed(['one'], { latencies });
    const command = new GetLogEventsCommand({ logGroupName: LOG_GROUP, logStreamName });
    expect((await bench.logs.send(command)).events).toEqual([]);
    await bench.pass(5_000);
    expect((await bench.logs.send(command)).events).toHaveLength(1);
  });

  it.each([
    ['group', { logGroupName: 'none', logStreamName: 'a' }],
    ['stream', { logGroupName: LOG_GROUP, logStreamName: 'none' }],
  ])('are not found without their %s', async (_what, input) => {
    const call = new Bench().logs.send(new GetLogEventsCommand(input));
    await expect(call).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('have groups that are created once', async () => {
    const bench = new Bench();
    const create = () => bench.logs.send(new CreateLogGroupCommand({ logGroupName: 'new' }));
    await create();
    await expect(create()).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' });
  });
});
