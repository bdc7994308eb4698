import { expect, it } from 'vitest';
import { passMemories } from '../../../shared/control/pass-memories.ts';

it('keeps a memory for each cell', () => {
  const memoryOf = passMemories();
  const first = memoryOf('a');
  expect(memoryOf('b')).not.toBe(first);
  expect(memoryOf('a')).toBe(first);
});

it('forgets the cells that nobody asks for, once there are many', () => {
  const memoryOf = passMemories();
  const [kept, left] = [memoryOf('kept'), memoryOf('left')];
  for (let i = 0; i < 31; i++) {
    memoryOf(`cell-${i}`);
    expect(memoryOf('kept')).toBe(kept);
  }
  expect(memoryOf('left')).not.toBe(left);
});
