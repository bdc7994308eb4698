/** Whatever fails in between: a task is made once (S1), and what was meant comes about (L1). */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import type { TaskSpec } from '../../../shared/api/task.ts';
import { RuntimeUnavailable } from '../../../shared/ports/runtime.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';
import { behaving, EcsWorld } from './harness.ts';

const TASKS = 40;
const MAX_TRIES = 30;
const FAULTS = [
  'throttle',
  'error-before',
  'error-after',
  'timeout-before',
  'timeout-after',
] as const;

function specOf(): TaskSpec {
  return taskSpec({ nodeName: 'fargate', containers: [behaving(container('app'), {})] });
}

describe('under faults', () => {
  it.each([1, 2, 3, 4, 5])(
    'each task runs once, and ends once it is stopped (seed %i)',
    async (seed) => {
      const world = new EcsWorld({}, seed);
      const random = new SeededRandom(seed + 100);
      // Several processes, which share nothing but ECS.
      const runtimes = Array.from({ length: 3 }, () => world.runtime());
      const pick = () => runtimes[random.integer(runtimes.length)] ?? world.runtime();
      const insist = async <T>(call: (by: ReturnType<typeof pick>) => Promise<T>): Promise<T> => {
        for (let tries = 1; ; tries++) {
          try {
            return await world.during(call(pick()));
          } catch (error) {
            if (!(error instanceof RuntimeUnavailable) || tries === MAX_TRIES) throw error;
            await world.clock.advance(random.integer(2_000));
          }
        }
      };
      for (const kind of FAULTS) world.model.faults.add({ kind, probability: 0.1 });

      const specs = Array.from({ length: TASKS }, specOf);
      await Promise.all(specs.map((spec) => insist((runtime) => runtime.run(spec))));
      await world.clock.advance(10_000);
      const ids = specs.map(({ id }) => id).sort();
      expect(startedBy(world)).toEqual(ids);
      expect([...(await insist((runtime) => runtime.list()))].sort()).toEqual(ids);

      for (const { id } of specs) await insist((runtime) => runtime.stop(id, 30));
      await world.clock.advance(60_000);
      expect(await insist((runtime) => runtime.list())).toEqual([]);
      const again = await insist((runtime) => runtime.run(specs[0] ?? specOf()));
      expect(again.phase).toBe('stopped');
      expect(startedBy(world)).toEqual(ids);
    },
  );
});

/** What every task that was ever made was made for. */
function startedBy(world: EcsWorld): readonly string[] {
  return [...world.model.ecs.world.tasks.values()].map((task) => task.startedBy ?? '').sort();
}
