/**
 * What scheduling passes leave for the next one over their cell, as long as the process lives: one
 * pass a cell (core/scheduling/memory.ts: M2). A process that begins has nothing, and reads all.
 */
import { PassMemory } from '../core/scheduling/memory.ts';

export type PassMemories = (cell: string) => PassMemory;

export function passMemories(): PassMemories {
  const byCell = new Map<string, PassMemory>();
  return (cell) => {
    const memory = byCell.get(cell) ?? new PassMemory();
    byCell.set(cell, memory);
    return memory;
  };
}
