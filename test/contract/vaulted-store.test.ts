/** With a vault or without, a store is a store. */
import { MemoryRecorder } from '../../adapters/memory/memory-recorder.ts';
import { MemoryStore } from '../../adapters/memory/memory-store.ts';
import { MemoryVault } from '../../adapters/memory/memory-vault.ts';
import { SeededIds } from '../../adapters/memory/seeded-ids.ts';
import { sealedStore, vaultedStore } from '../../shared/control/vaulted-store.ts';
import { storeContract } from './store.contract.ts';

storeContract({
  name: 'vaultedStore of MemoryStore',
  make: (options) => {
    const { clock } = options;
    const vault = new MemoryVault(clock);
    const ids = new SeededIds(1);
    const store = new MemoryStore(options);
    return vaultedStore(store, { vault, clock, ids, recorder: new MemoryRecorder() });
  },
});

storeContract({
  name: 'sealedStore of MemoryStore',
  make: (options) => sealedStore(new MemoryStore(options)),
});
