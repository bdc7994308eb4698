/** Requests and nodes with GPUs, in short; and any of them, for properties. */
import fc from 'fast-check';
import type { GpuNode, PlacedRequest } from '../../../../shared/core/scheduling/gpu/devices.ts';
import type { Prices } from '../../../../shared/core/scheduling/gpu/prices.ts';
import { ANY_MODEL, type PodKind } from '../../../../shared/core/scheduling/gpu/request.ts';

export function request(given: Partial<PlacedRequest> = {}): PlacedRequest {
  return {
    cpuMillis: 1000,
    memory: 1,
    devices: 1,
    milliPerDevice: 1000,
    models: ANY_MODEL,
    ...given,
  };
}

export function part(milliPerDevice: number, given: Partial<PlacedRequest> = {}): PlacedRequest {
  return request({ milliPerDevice, ...given });
}

export function gpuNode(devices: number, given: Partial<GpuNode> = {}): GpuNode {
  return { model: 0, devices, cpuMillis: 64_000, memory: 1_000, ...given };
}

export function kind(share: number, given: Partial<PodKind> = {}): PodKind {
  const { cpuMillis, devices, milliPerDevice, models } = request(given);
  return { cpuMillis, devices, milliPerDevice, models, share };
}

export const someNode: fc.Arbitrary<GpuNode> = fc.record({
  model: fc.integer({ min: 0, max: 2 }),
  devices: fc.integer({ min: 0, max: 8 }),
  cpuMillis: fc.integer({ min: 0, max: 128_000 }),
  memory: fc.integer({ min: 0, max: 20 }),
  pods: fc.integer({ min: 0, max: 20 }),
});

const size = fc.oneof(
  fc.record({ devices: fc.constant(0), milliPerDevice: fc.constant(0) }),
  fc.record({ devices: fc.constant(1), milliPerDevice: fc.integer({ min: 1, max: 1000 }) }),
  fc.record({ devices: fc.constantFrom(1, 2, 4, 8), milliPerDevice: fc.constant(1000) }),
);

export const someRequest: fc.Arbitrary<PlacedRequest> = fc
  .record({
    size,
    cpuMillis: fc.integer({ min: 0, max: 20_000 }),
    memory: fc.integer({ min: 0, max: 2 }),
    models: fc.constantFrom(ANY_MODEL, ANY_MODEL, 0b001, 0b110),
  })
  .map(({ size: asked, ...rest }) => ({ ...rest, ...asked }));

/** Prices that nobody had to find. */
export const somePrices: fc.Arbitrary<Prices> = fc
  .tuple(fc.array(someRequest, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat(2000)))
  .map(([asked, worth]) => ({
    kinds: asked.map((given) => kind(1 / asked.length, given)),
    milli: Float64Array.from(asked, ({ devices }) => devices * (worth.next().value ?? 0)),
    cpuMilli: 1,
  }));

/** Kinds of a demand; shares add up to 1. */
export const someDemand: fc.Arbitrary<readonly PodKind[]> = fc
  .array(fc.tuple(someRequest, fc.integer({ min: 1, max: 100 })), { minLength: 1, maxLength: 8 })
  .map((seen) => {
    const total = seen.reduce((sum, [, pods]) => sum + pods, 0);
    return seen.map(([asked, pods]) => kind(pods / total, asked));
  });
