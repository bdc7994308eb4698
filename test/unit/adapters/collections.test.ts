import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fifo } from '../../../adapters/memory/fifo.ts';
import { OrderedMap } from '../../../adapters/memory/ordered-map.ts';
import { TimerHeap } from '../../../adapters/memory/timer-heap.ts';
import { ObjectCache } from '../../../adapters/sqlite/object-cache.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';

describe('OrderedMap', () => {
  test('ranges as a sorted list of its entries does', () => {
    const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 3 });
    const edit = fc.record({ key, keep: fc.boolean() });
    const property = fc.property(
      fc.array(edit),
      key,
      fc.option(key, { nil: undefined }),
      (edits, prefix, after) => {
        const map = new OrderedMap<string>();
        const model = new Map<string, string>();
        edits.forEach(({ key, keep }, i) => {
          for (const each of [map, model]) {
            if (keep) each.set(key, `v${i}`);
            else each.delete(key);
          }
        });
        const expected = [...model]
          .filter(([k]) => k.startsWith(prefix) && (after === undefined || k > after))
          .sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...map.range(prefix, after)]).toEqual(expected);
        expect(map.size).toBe(model.size);
      },
    );
    fc.assert(property);
  });
});

describe('Fifo', () => {
  test('gives back in the order in which it was given', () => {
    const property = fc.property(fc.array(fc.boolean()), (pushes) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      pushes.forEach((push, i) => {
        if (push) {
          fifo.push(i);
          model.push(i);
        } else expect(fifo.shift()).toBe(model.shift());
        expect(fifo.size).toBe(model.length);
        expect([...fifo]).toEqual(model);
      });
    });
    fc.assert(property);
  });
});

describe('TimerHeap', () => {
  test('takes by time, then in order of adding, whatever was deleted', () => {
    const item = fc.record({ atMs: fc.nat(9), isDeleted: fc.boolean() });
    const property = fc.property(fc.array(item), (items) => {
      const heap = new TimerHeap<{ atMs: number }>();
      for (const each of items) heap.add(each);
      for (const each of items) if (each.isDeleted) expect(heap.delete(each)).toBe(true);
      const left = items.filter((each) => !each.isDeleted);
      expect(heap.size).toBe(left.length);
      const taken = left.map(() => heap.takeDue(Infinity));
      expect(taken).toEqual(left.toSorted((a, b) => a.atMs - b.atMs));
      expect(heap.takeDue(Infinity)).toBeUndefined();
    });
    fc.assert(property);
  });

  test('takes nothing that is not due', () => {
    const heap = new TimerHeap<{ atMs: number }>();
    heap.add({ atMs: 5 });
    expect(heap.takeDue(4)).toBeUndefined();
    expect(heap.takeDue(5)).toEqual({ atMs: 5 });
    expect(heap.first).toBeUndefined();
  });
});

describe('ObjectCache', () => {
  test('stays within its bound, and keeps what is read', () => {
    const cache = new ObjectCache(100);
    const object = (n: number) => ({ n }) as unknown as AnyObject;
    const has = (version: number) => cache.get(version) !== undefined;
    cache.add(0, object(0), 10);
    for (let version = 1; version <= 1000; version++) {
      expect(cache.get(0)).toEqual(object(0));
      cache.add(version, object(version), 10);
    }
    const kept = Array.from({ length: 1001 }, (_, version) => version).filter(has);
    expect(kept[0]).toBe(0);
    expect(kept.length).toBeLessThanOrEqual(10);
    expect(kept.at(-1)).toBe(1000);
  });
});
