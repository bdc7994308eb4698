/** Fargate's sizes against AWS's table (aws-semantics.md 3.4), and what they cost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fargateSizes,
  LARGEST_FARGATE_SIZE,
  roundedToFargate,
  taskSizeOf,
} from '../../../shared/api/fargate-sizes.ts';
import {
  FARGATE_SPOT_SHARE,
  fargatePrice,
} from '../../../shared/core/capacity/catalogue/fargate-prices.ts';
import { fargateSizeError } from '../../aws/model/ecs/fargate-sizes.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe('the sizes of Fargate', () => {
  it.each([
    [256, [512, 1024, 2048]],
    [512, [1024, 2048, 3072, 4096]],
    [1024, [2048, 3072, 4096, 5120, 6144, 7168, 8192]],
  ])('of %d units are %j MiB', (cpu, expected) => {
    const sizes = fargateSizes().filter((size) => size.cpu === cpu);
    expect(sizes.map(({ memoryMiB }) => memoryMiB)).toEqual(expected);
  });

  it.each([
    [2048, 4, 16, 1],
    [4096, 8, 30, 1],
    [8192, 16, 60, 4],
    [16_384, 32, 120, 8],
  ])('of %d units are %d to %d GiB by %d', (cpu, least, most, step) => {
    const sizes = fargateSizes().filter((size) => size.cpu === cpu);
    const count = (most - least) / step + 1;
    const expected = Array.from({ length: count }, (_, i) => (least + i * step) * 1024);
    expect(sizes.map(({ memoryMiB }) => memoryMiB)).toEqual(expected);
  });

  it('are what ECS takes, as the model of it says on its own', () => {
    const units = [256, 512, 1024, 2048, 4096, 8192, 16_384];
    const taken = units.flatMap((cpu) =>
      Array.from({ length: 240 }, (_, i) => ({ cpu, memoryMiB: (i + 1) * 512 })).filter(
        ({ memoryMiB }) => fargateSizeError(String(cpu), String(memoryMiB)) === undefined,
      ),
    );
    expect(fargateSizes()).toEqual(taken);
  });

  const asked = fc.record({ cpu: fc.nat(17_000), memoryMiB: fc.nat(125_000) });

  it('hold what is asked for, and no smaller one does', () => {
    fc.assert(
      fc.property(asked, (size) => {
        const holding = fargateSizes().filter(
          ({ cpu, memoryMiB }) => cpu >= size.cpu && memoryMiB >= size.memoryMiB,
        );
        // The least CPU first, then the least memory.
        expect(roundedToFargate(size)).toEqual(holding[0]);
      }),
    );
  });

  it('are asked for in milli-CPUs and bytes, rounded up', () => {
    expect(taskSizeOf(250, 512 * MIB)).toEqual({ cpu: 256, memoryMiB: 512 });
    expect(taskSizeOf(251, 512 * MIB + 1)).toEqual({ cpu: 258, memoryMiB: 513 });
    const { cpu, memoryMiB } = LARGEST_FARGATE_SIZE;
    expect(roundedToFargate({ cpu: cpu + 1, memoryMiB: 0 })).toBeUndefined();
    expect(roundedToFargate({ cpu: 0, memoryMiB: memoryMiB + 1 })).toBeUndefined();
  });
});

describe('an hour on Fargate', () => {
  it.each([
    [250, 0.5, 0.25 * 0.04048 + 0.5 * 0.004445],
    [1000, 2, 0.04048 + 2 * 0.004445],
    // What is paid is the size: 4 vCPU and 10 GiB.
    [3000, 9.5, 4 * 0.04048 + 10 * 0.004445],
    [16_000, 120, 16 * 0.04048 + 120 * 0.004445],
  ])('of %d milli-CPUs and %d GiB costs %d $', (cpuMillis, gib, usd) => {
    const price = fargatePrice(cpuMillis, gib * GIB, 'on-demand');
    expect(price?.usdPerHour).toBeCloseTo(usd, 9);
    expect(price?.isEstimate).toBe(false);
  });

  it('costs less on ARM, about a third on Spot, and more with more storage', () => {
    const price = (...given: Parameters<typeof fargatePrice>) => fargatePrice(...given)?.usdPerHour;
    const usd = price(1000, 2 * GIB, 'on-demand') ?? 0;
    const arm = price(1000, 2 * GIB, 'on-demand', { arch: 'arm64' });
    expect(arm).toBeCloseTo(0.03238 + 2 * 0.00356, 9);
    expect(price(1000, 2 * GIB, 'spot')).toBeCloseTo(usd * FARGATE_SPOT_SHARE, 9);
    expect(fargatePrice(1000, 2 * GIB, 'spot')?.isEstimate).toBe(true);
    expect(price(1000, 2 * GIB, 'on-demand', { storageBytes: 20 * GIB })).toBe(usd);
    const larger = price(1000, 2 * GIB, 'on-demand', { storageBytes: 29.5 * GIB });
    expect(larger).toBeCloseTo(usd + 10 * 0.000111, 9);
  });

  it('is not sold beyond the largest size', () => {
    expect(fargatePrice(16_001, GIB, 'on-demand')).toBeUndefined();
    expect(fargatePrice(1000, 121 * GIB, 'on-demand')).toBeUndefined();
    const storageBytes = 201 * GIB;
    expect(fargatePrice(1000, 2 * GIB, 'spot', { storageBytes })).toBeUndefined();
  });
});
