import { MemoryQueue } from '../../adapters/memory/memory-queue.ts';
import { queueContract } from './queue.contract.ts';

queueContract({ name: 'MemoryQueue', make: (options) => new MemoryQueue(options) });
