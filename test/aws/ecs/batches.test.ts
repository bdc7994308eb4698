/** Launches of many tasks in one call: what comes of it, and what a repeat may do. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { EcsRuntime } from '../../../adapters/aws/ecs/ecs-runtime.ts';
import { batchTaskIdOf, type TaskSpec, type TaskState } from '../../../shared/api/task.ts';
import { type BatchAnswer, NoCapacity, RuntimeUnavailable } from '../../../shared/ports/runtime.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';
import { behaving, EcsWorld } from './harness.ts';

const TOKEN = `b-${'0123456789abcdef'.repeat(2)}`;
const IDS = Array.from({ length: 10 }, (_, i) => `i-0123456789abcdef${i}`);

let world: EcsWorld;
let runtime: EcsRuntime;
let places: readonly { readonly nodeName: string; readonly at: string }[];
beforeEach(() => {
  world = new EcsWorld();
  runtime = world.runtime();
  places = IDS.map((ec2InstanceId) => {
    const size = { cpu: 1024, memoryMiB: 1024, maxEnis: 2 };
    const { arn } = world.model.ecs.instances.register({ ec2InstanceId, ...size });
    return { nodeName: ec2InstanceId, at: arn.slice(arn.lastIndexOf('/') + 1) };
  });
});

const idAt = (i: number): string => batchTaskIdOf(TOKEN, places[i]?.at ?? '');
const tasks = () => [...world.model.ecs.world.tasks.values()];
const calls = (operation: string) => world.model.calls.count(operation);

function spec(i = 0): TaskSpec {
  const containers = [behaving(container('app', { cpuMillisRequest: 600 }), { output: ['hello'] })];
  return taskSpec({ id: idAt(i), nodeName: IDS[i] ?? '', containers });
}

function ask(which: readonly number[], by = runtime): Promise<readonly BatchAnswer[]> {
  const asked = which.flatMap((i) => places[i] ?? []);
  return world.during(by.runAlike(spec(which[0]), asked));
}

const kinds = (answers: readonly BatchAnswer[]) =>
  answers.map((answer) => (answer instanceof Error ? answer.name : answer.phase));
const idsOf = (answers: readonly BatchAnswer[]) =>
  answers.map((answer) => (answer instanceof Error ? answer.name : answer.id));

describe('a launch of many', () => {
  it('is one call, and one task on each machine that was named', async () => {
    const answers = await ask([3, 1, 4]);
    expect(idsOf(answers)).toEqual([idAt(3), idAt(1), idAt(4)]);
    expect(calls('RunTask')).toBe(1);
    const hosts = tasks().map(({ instance }) => instance?.ec2InstanceId);
    expect(hosts.sort()).toEqual([IDS[1], IDS[3], IDS[4]]);
  });

  it('says of each machine without room that it has none', async () => {
    await ask([0], runtime);
    const other = { ...spec(), id: batchTaskIdOf(`b-${'f'.repeat(32)}`, 'x') };
    const answers = await world.during(runtime.runAlike(other, places.slice(0, 3)));
    expect(kinds(answers)).toEqual(['NoCapacity', 'pending', 'pending']);
  });

  it.each(['timeout-after', 'error-after'] as const)(
    'whose answer gets lost (%s) is asked for again, and made nothing twice',
    async (kind) => {
      await ask([9]);
      world.model.faults.add({ kind, operation: 'RunTask', times: 1 });
      const other = batchTaskIdOf(`b-${'e'.repeat(32)}`, 'x');
      const again = (by: EcsRuntime) =>
        world.during(by.runAlike({ ...spec(), id: other }, places.slice(0, 3)));
      await expect(again(runtime)).rejects.toThrow(RuntimeUnavailable);
      expect(kinds(await again(world.runtime()))).toEqual(['pending', 'pending', 'pending']);
      expect(tasks()).toHaveLength(4);
    },
  );

  it('goes to whom the first question named, whoever asks for others later', async () => {
    await ask([0, 1, 2]);
    const later = await ask([2, 5], world.runtime());
    expect(idsOf(later)).toEqual([idAt(2), 'NoCapacity']);
    const alone = await ask([7], world.runtime());
    expect(alone[0]).toBeInstanceOf(NoCapacity);
    expect(tasks()).toHaveLength(3);
  });

  it('may be asked for by one member alone', async () => {
    expect(idsOf(await ask([6]))).toEqual([idAt(6)]);
    expect(idsOf(await ask([5, 6], world.runtime()))).toEqual(['NoCapacity', idAt(6)]);
  });
});

describe('a task that was launched with others', () => {
  it('is found by its id in every process: described, listed, read, stopped', async () => {
    await ask([0, 1, 2]);
    await world.clock.advance(10_000);
    const other = world.runtime();
    const [state] = await world.during(other.describe([idAt(1)]));
    expect(state).toMatchObject({ id: idAt(1), podUid: '', attempt: 1, phase: 'running' });
    const listed = await world.during(world.runtime().list());
    expect([...listed].sort()).toEqual([idAt(0), idAt(1), idAt(2)].sort());
    expect(await logsOf(world.runtime(), idAt(2))).toBe('hello\n');
    await world.during(world.runtime().stop(idAt(1), 30));
    await world.clock.advance(60_000);
    const ends = (await world.during(runtime.describe([0, 1, 2].map(idAt)))) as TaskState[];
    expect(new Map(ends.map(({ id, phase }) => [id, phase]))).toEqual(
      new Map([
        [idAt(0), 'running'],
        [idAt(1), 'stopped'],
        [idAt(2), 'running'],
      ]),
    );
  });

  it('is told of by events under its id', async () => {
    await ask([4, 8]);
    await world.clock.advance(10_000);
    const told = world.messages.flatMap((m) => (m.type === 'task' ? m.task : []));
    const running = told.filter(({ phase }) => phase === 'running').map(({ id }) => id);
    expect([...new Set(running)].sort()).toEqual([idAt(4), idAt(8)].sort());
  });
});

async function logsOf(by: EcsRuntime, id: string): Promise<string> {
  const options = { follow: false, timestamps: false, signal: new AbortController().signal };
  const chunks = by.logs(id, 'app', options);
  let text = '';
  for (;;) {
    const chunk = await world.during(chunks.next());
    if (chunk.done) return text;
    text += new TextDecoder().decode(chunk.value);
  }
}
