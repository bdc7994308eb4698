/** The plugins that place pods, as data: in the order in which they may refuse a node, with what a score weighs. */
import type { Enabled } from './framework.ts';
import { resourceFit } from './plugins/resource-fit.ts';

export const PLUGINS: readonly Enabled[] = [{ plugin: resourceFit('MostAllocated'), weight: 1 }];
