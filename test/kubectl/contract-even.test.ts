/** The contract with kubectl, on half of the versions that this machine has. */
import { describe, it } from 'vitest';
import { everyOtherKubectl } from './cluster.ts';
import { testContract } from './contract.ts';

const kubectls = everyOtherKubectl(0);

describe.skipIf(kubectls.length === 0)('kubectl', () => testContract(kubectls));
it.skipIf(kubectls.length > 0)('has no kubectl to test with', () => {});
