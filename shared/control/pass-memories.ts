/**
 * What scheduling passes leave for the next one over their cell, as long as the process lives: one
 * pass a cell (core/scheduling/memory.ts: M2), of the cells that it placed on last. A process that
 * begins has nothing, and reads all.
 */
import { PassMemory } from '../core/scheduling/memory.ts';

export type PassMemories = (cell: string) => PassMemory;

/** Anybody who labels a namespace names a cell, and each takes some tens of megabytes at most. */
const MAX_CELLS = 32;

export function passMemories(): PassMemories {
  const byCell = new Map<string, PassMemory>();
  return (cell) => {
    const memory = byCell.get(cell) ?? new PassMemory();
    // Maps keep the order of entry: the first is the one that was asked for the longest ago.
    byCell.delete(cell);
    byCell.set(cell, memory);
    const [oldest] = byCell.keys();
    if (byCell.size > MAX_CELLS && oldest !== undefined) byCell.delete(oldest);
    return memory;
  };
}
