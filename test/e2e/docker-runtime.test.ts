import { runtimeContract } from '../contract/runtime.contract.ts';
import { findEngine } from './support/docker-engine.ts';
import { dockerHarness } from './support/docker-harness.ts';
import { ensureTestImages } from './support/test-image.ts';

const { docker, skip } = await findEngine();
if (docker) await ensureTestImages(docker);

runtimeContract({
  name: 'Docker',
  make: () => dockerHarness(docker as NonNullable<typeof docker>),
  ...(skip !== undefined && { skip }),
});
