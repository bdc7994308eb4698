/** The runtime's contract on ECS, as our model has it: Fargate, Fargate Spot, an instance. */
import { runtimeContract } from '../../contract/runtime.contract.ts';
import { ecsHarness } from './harness.ts';

for (const nodeName of ['fargate', 'fargate-spot', 'i-0123456789abcdef0']) {
  runtimeContract({ name: `ECS on ${nodeName}`, make: () => ecsHarness(nodeName) });
}
