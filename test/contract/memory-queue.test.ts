import { MemoryQueue } from '../../adapters/memory/memory-queue.ts';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import { queueContract } from './queue.contract.ts';

queueContract({
  name: 'MemoryQueue',
  unitMs: 1_000,
  tickMs: 1,
  make: ({ visibilityMs }) => {
    const clock = new StepClock();
    return {
      queue: new MemoryQueue({ clock, visibilityMs }),
      pass: (ms) => clock.advance(ms),
    };
  },
});
