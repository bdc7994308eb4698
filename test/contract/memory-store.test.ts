import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { storeContract } from './store.contract.ts';

storeContract({ name: 'MemoryStore', make: (options) => new MemoryStore(options) });
