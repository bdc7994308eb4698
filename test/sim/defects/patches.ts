/**
 * Defects planted on purpose, each a small change to one line or two of the product, made as its
 * module is loaded (hook.ts): the simulation is worth what it catches.
 */
import type { Patches } from './patch.ts';
import { OF_MESSAGES } from './patches/messages.ts';
import { OF_NODES } from './patches/nodes.ts';
import { OF_SETS } from './patches/sets.ts';
import { OF_TASKS } from './patches/tasks.ts';
import { OF_WRITES } from './patches/writes.ts';

export const PATCHES: Patches = {
  ...OF_WRITES,
  ...OF_MESSAGES,
  ...OF_TASKS,
  ...OF_SETS,
  ...OF_NODES,
};
