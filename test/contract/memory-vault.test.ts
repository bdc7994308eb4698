import { MemoryVault } from '../../adapters/memory/memory-vault.ts';
import { StepClock } from '../../adapters/memory/step-clock.ts';
import { vaultContract } from './vault.contract.ts';

vaultContract({ name: 'MemoryVault', make: () => new MemoryVault(new StepClock()) });
