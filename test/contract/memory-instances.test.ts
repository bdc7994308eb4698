import { MemoryInstances } from '../../adapters/memory/memory-instances.ts';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import { instancesContract } from './instances.contract.ts';

const SHAPE = { cpus: 2, memoryMiB: 8192, arch: 'amd64' } as const;

instancesContract({
  name: 'MemoryInstances',
  make: async () => {
    const clock = new StepClock();
    const pool = new MemoryInstances({
      clock,
      shapes: { 'm5.large': SHAPE, 'c5.large': SHAPE },
    });
    return {
      pool,
      types: ['m5.large', 'c5.large'],
      zones: ['us-east-1a', 'us-east-1b'],
      unknownId: 'i-0fffffffffffffff0',
      join: async (id) => pool.register(id),
      joinForeign: async () => {
        const id = 'i-0aaaaaaaaaaaaaaa0';
        const of = { type: 'm5.large', zone: 'us-east-1a', capacityType: 'on-demand' } as const;
        pool.add({ id, ...of, state: 'running', launchedAtMs: clock.nowMs(), isOurs: false });
        pool.register(id);
        return id;
      },
      end: async (id) => pool.end(id),
      refuse: async (type, zone, kind) => {
        const codes = { capacity: 'InsufficientInstanceCapacity', quota: 'VcpuLimitExceeded' };
        pool.refuse(type, zone, { kind, code: codes[kind] });
      },
      setDown: async (isDown) => pool.setDown(isDown),
    };
  },
});
