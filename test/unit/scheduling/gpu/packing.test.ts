import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DeviceAccounts,
  type GpuNode,
  type PlacedRequest,
} from '../../../../shared/core/scheduling/gpu/devices.ts';
import { NodeValue } from '../../../../shared/core/scheduling/gpu/node-value.ts';
import { Packing, scoreOf } from '../../../../shared/core/scheduling/gpu/packing.ts';
import { findPrices, nodeClasses } from '../../../../shared/core/scheduling/gpu/prices.ts';
import type { PodKind } from '../../../../shared/core/scheduling/gpu/request.ts';
import { gpuNode, kind, part, request, someNode, somePrices, someRequest } from './fixtures.ts';

const RUNS = { numRuns: 40 };

function packed(demand: readonly PodKind[], nodes: readonly GpuNode[]) {
  const prices = findPrices(demand, nodeClasses(nodes));
  const accounts = new DeviceAccounts(nodes);
  return { accounts, packing: new Packing(accounts, prices) };
}

/** The node that loses least, and where on it; the first of equals. */
function best(packing: Packing, nodes: number, asked: PlacedRequest) {
  const open = Array.from({ length: nodes }, (_, node) => ({
    node,
    at: packing.judge(node, asked),
  }));
  return open
    .filter(({ at }) => at !== undefined)
    .sort((a, b) => (a.at?.lossMilli ?? 0) - (b.at?.lossMilli ?? 0))[0];
}

describe('packing', () => {
  const demand = [kind(0.5, { milliPerDevice: 500 }), kind(0.5)];

  it('puts a part beside another, not on an idle device', () => {
    const { accounts, packing } = packed(demand, [gpuNode(2), gpuNode(2)]);
    accounts.place(1, part(500), 0b10);
    expect(best(packing, 2, part(500))).toMatchObject({ node: 1, at: { devices: 0b10 } });
  });

  it('keeps CPU where GPUs still need it: a pod without any goes where none is idle', () => {
    const { accounts, packing } = packed(demand, [
      gpuNode(8, { cpuMillis: 9_000 }),
      gpuNode(1, { cpuMillis: 9_000 }),
    ]);
    accounts.place(1, request(), 0b1);
    const noGpu = request({ devices: 0, milliPerDevice: 0, cpuMillis: 4_000 });
    expect(best(packing, 2, noGpu)?.node).toBe(1);
  });

  it('keeps a model that others ask for', () => {
    const picky = kind(0.5, { models: 0b10 });
    const { packing } = packed([picky, kind(0.5)], [gpuNode(1, { model: 1 }), gpuNode(1)]);
    expect(best(packing, 2, request())?.node).toBe(1);
  });

  it('keeps devices that are idle together for pods of several', () => {
    const several = [kind(0.5, { devices: 2 }), kind(0.5)];
    const { accounts, packing } = packed(several, [gpuNode(2), gpuNode(2)]);
    accounts.place(1, request(), 0b1);
    expect(best(packing, 2, request())).toMatchObject({ node: 1, at: { devices: 0b10 } });
  });

  it('scores less loss higher, between 0 and 100', () => {
    const scores = [-1e6, 0, 1000, 1e6].map(scoreOf);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(scores[1]).toBe(50);
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...scores)).toBeLessThanOrEqual(100);
  });

  it('judges all that fits and nothing else, on devices that serve it, the same each time', () => {
    fc.assert(
      fc.property(
        somePrices,
        fc.array(someNode, { minLength: 1, maxLength: 3 }),
        fc.array(someRequest, { maxLength: 20 }),
        (prices, nodes, asked) => {
          const accounts = new DeviceAccounts(nodes);
          const packing = new Packing(accounts, prices);
          for (const spec of asked) {
            nodes.forEach((_, node) => {
              const judgement = packing.judge(node, spec);
              expect(judgement !== undefined).toBe(accounts.fits(node, spec));
              expect(packing.judge(node, spec)).toEqual(judgement);
            });
            const found = best(packing, nodes.length, spec);
            // A device that does not serve it would throw here.
            if (found?.at) accounts.place(found.node, spec, found.at.devices);
          }
        },
      ),
      RUNS,
    );
  });

  it('values room for tiny pods, whatever they are worth', () => {
    const kinds = [kind(0.5, { cpuMillis: 0 }), kind(0.5, { cpuMillis: 0, milliPerDevice: 1 })];
    const value = new NodeValue({ kinds, milli: Float64Array.from([65, 5_000]), cpuMilli: 1 });
    expect(value.of(0, 0, Int16Array.from([1000]), 0, 1)).toBeLessThan(10_000);
  });

  it('values room at 0 or more, and more CPU at no less', () => {
    const left = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 8 });
    const cpu = fc.tuple(fc.nat(64_000), fc.nat(64_000));
    fc.assert(
      fc.property(somePrices, left, cpu, (prices, milli, [cpuLeft, more]) => {
        const value = new NodeValue(prices);
        const of = (devices: readonly number[], cores: number): number =>
          value.of(0, cores, Int16Array.from(devices), 0, devices.length);
        const worth = of(milli, cpuLeft);
        expect(worth).toBeGreaterThanOrEqual(0);
        expect(of(milli, cpuLeft + more)).toBeGreaterThanOrEqual(worth - 1e-6);
      }),
      RUNS,
    );
  });
});
