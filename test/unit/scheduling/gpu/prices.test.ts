import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fillings, STEPS } from '../../../../shared/core/scheduling/gpu/fillings.ts';
import { offersFor } from '../../../../shared/core/scheduling/gpu/market.ts';
import {
  findPrices,
  nodeClasses,
  type Prices,
} from '../../../../shared/core/scheduling/gpu/prices.ts';
import type { PodKind } from '../../../../shared/core/scheduling/gpu/request.ts';
import { gpuNode, kind, someDemand, someNode } from './fixtures.ts';

const RUNS = { numRuns: 10 };
const someNodes = fc.array(someNode, { maxLength: 4 });

/** Each kind is worth what it asks for. */
function atFace(kinds: readonly PodKind[], cpuMilli = 0): Prices {
  const milli = Float64Array.from(kinds, (k) => k.devices * k.milliPerDevice);
  return { kinds, milli, cpuMilli };
}

function fillings(kinds: readonly PodKind[], cpuMilli = 0): Fillings {
  return new Fillings(offersFor(atFace(kinds, cpuMilli), 0), cpuMilli);
}

describe('fillings', () => {
  const half = kind(1, { milliPerDevice: 500 });

  it.each([
    [0, 0],
    [49, 0],
    [50, 500],
    [99, 500],
    [100, 1000],
  ])('make of %i steps about %i milli with pods of 500', (steps, worth) => {
    expect(fillings([half]).partial[steps]).toBeCloseTo(worth, 0);
  });

  it('make of free devices what suits best: pods of two, and of one where one is left', () => {
    const { free } = fillings([kind(1, { devices: 2 }), { ...half, share: 0.01 }]);
    const one = free[1] ?? 0;
    expect((free[3] ?? 0) - one).toBeGreaterThanOrEqual(2000);
  });

  it('are worth less where CPU is dear, and nothing where a pod does not pay for it', () => {
    const dear = (price: number) => fillings([kind(1, { cpuMillis: 2_000 })], price).partial[STEPS];
    expect(dear(100)).toBeCloseTo(800, 0);
    expect(dear(600)).toBeLessThan(1);
  });

  it('use no more devices than there are, and grow with the room', () => {
    fc.assert(
      fc.property(someDemand, fc.integer({ min: 0, max: 8 }), (kinds, free) => {
        const filled = fillings(kinds);
        const usage = { pods: new Float64Array(kinds.length), cpuMillis: 0 };
        filled.use(free, 1, usage);
        const milli = kinds.reduce(
          (sum, k, i) => sum + (usage.pods[i] ?? 0) * k.devices * k.milliPerDevice,
          0,
        );
        expect(milli).toBeLessThanOrEqual(free * 1000 + 1e-6);
        for (const table of [filled.partial, filled.free]) {
          table.forEach((worth, i) =>
            expect(worth).toBeGreaterThanOrEqual((table[i - 1] ?? 0) - 1e-9),
          );
        }
      }),
    );
  });
});

describe('prices', () => {
  const classes = nodeClasses([gpuNode(8), gpuNode(8, { cpuMillis: 64_900 }), gpuNode(0)]);

  it('are found for classes of nodes that have GPUs and about as much CPU', () => {
    expect(classes).toEqual([{ model: 0, devices: 8, cpuMillis: 64_000, nodes: 2 }]);
  });

  it('let a pod pay for what nobody else can use beside it', () => {
    const demand = [
      kind(0.5, { milliPerDevice: 800 }),
      kind(0.45, { milliPerDevice: 500 }),
      kind(0.05, { milliPerDevice: 200 }),
    ];
    const [most = 0, half = 0, least = 0] = findPrices(demand, classes).milli;
    // It asks for 1.6 times as much, and takes twice the room. The 200 beside it are plentiful.
    expect(most / half).toBeGreaterThan(1.8);
    expect(least / half).toBeLessThan(0.35);
  });

  it('are none for what fits no node, and for an empty demand', () => {
    const tooLarge = kind(1, { cpuMillis: 65_000 });
    expect(findPrices([tooLarge, kind(1)], classes).kinds).toEqual([kind(1)]);
    expect(findPrices([], classes).kinds).toEqual([]);
    expect(findPrices([kind(1)], []).kinds).toEqual([]);
  });

  it('are bounded, never negative, the same again, and not upset by a warm start', () => {
    fc.assert(
      fc.property(someDemand, someNodes, (demand, nodes) => {
        const found = findPrices(demand, nodeClasses(nodes));
        expect(findPrices(demand, nodeClasses(nodes))).toEqual(found);
        const warm = findPrices(demand, nodeClasses(nodes), found);
        for (const { kinds, milli, cpuMilli } of [found, warm]) {
          expect(cpuMilli).toBeGreaterThan(0);
          kinds.forEach(({ devices, milliPerDevice }, i) => {
            expect(milli[i]).toBeGreaterThanOrEqual(0);
            expect(milli[i]).toBeLessThanOrEqual(
              Math.max(1e-3, 4 * devices * milliPerDevice) + 1e-6,
            );
          });
        }
      }),
      RUNS,
    );
  });
});
