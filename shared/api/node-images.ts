/**
 * Which of ECS's own images a machine starts from. The launch template has one; where a type needs
 * another, the launch says so.
 */
import { type InstanceShape, nvidiaGpus } from './instance.ts';

/** Resolved at each launch: machines come with the patches of their day. */
const NODE_IMAGES = '/aws/service/ecs/optimized-ami/amazon-linux-2023/';

const PATHS = { standard: '', gpu: 'gpu/', arm64: 'arm64/' } as const;

export type NodeImage = keyof typeof PATHS;

export const NODE_IMAGE_NAMES = Object.keys(PATHS) as readonly NodeImage[];

/** The name of the public parameter that has the image's id. */
export function imageParameter(image: NodeImage): string {
  return `${NODE_IMAGES}${PATHS[image]}recommended/image_id`;
}

/** There is none with drivers for arm64: such a machine has no GPUs to offer. */
export function imageFor(shape: InstanceShape): NodeImage {
  if (shape.arch === 'arm64') return 'arm64';
  return nvidiaGpus(shape) > 0 ? 'gpu' : 'standard';
}
