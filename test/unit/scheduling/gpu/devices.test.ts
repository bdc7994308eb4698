import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeviceAccounts } from '../../../../shared/core/scheduling/gpu/devices.ts';
import { MAX_DEVICES } from '../../../../shared/core/scheduling/gpu/request.ts';
import { gpuNode, part, request, someNode, someRequest } from './fixtures.ts';

/** One node, of whose devices so much is taken. */
function used(taken: readonly number[], given = {}): DeviceAccounts {
  const accounts = new DeviceAccounts([gpuNode(taken.length, given)]);
  taken.forEach((milli, device) => {
    if (milli > 0) accounts.place(0, part(milli, { cpuMillis: 0, memory: 0 }), 1 << device);
  });
  return accounts;
}

describe('accounts of devices', () => {
  it.each([
    ['a part where a device has just that left', [600, 1000], part(400), true],
    ['a part of more than any device has left', [600, 700], part(401), false],
    ['devices whole, all idle', [0, 0], request({ devices: 2 }), true],
    ['more devices than are idle', [0, 1], request({ devices: 2 }), false],
    ['no device at all, where all are taken', [1000], request({ devices: 0 }), true],
    ['more CPU than there is', [0], request({ cpuMillis: 64_001 }), false],
    ['more memory than there is', [0], request({ memory: 1_001 }), false],
    ['the node’s model, among others', [0], request({ models: 0b101 }), true],
    ['another model', [0], request({ models: 0b110 }), false],
  ])('fit %s', (_, taken, asked, fits) => {
    expect(used(taken).fits(0, asked)).toBe(fits);
  });

  it('fit no more pods than the node takes', () => {
    expect(used([100], { pods: 1 }).fits(0, part(100))).toBe(false);
  });

  it.each([
    ['the tightest of those that serve', [300, 700, 800], 250, 0b010],
    ['the first of equals', [700, 700], 300, 0b01],
    ['none', [900, 950], 200, 0],
  ])('choose for a part %s', (_, taken, milli, set) => {
    expect(used(taken).tightestDevice(0, milli)).toBe(set);
  });

  it('choose the first whole devices', () => {
    expect(used([1, 0, 0, 0]).firstDevices(0, request({ devices: 2 }))).toBe(0b0110);
  });

  it.each([
    ['a device is given more than it has', [500], part(501), 0b1, 1],
    ['a device that the node has not', [0], part(1), 0b10, 1],
    ['more is given back than was taken', [500], part(501), 0b1, -1],
  ] as const)('refuse, and stay as they were, when %s', (_, taken, asked, on, sign) => {
    const accounts = used(taken);
    expect(() => accounts.place(0, asked, on, sign)).toThrow(RangeError);
    expect(accounts).toEqual(used(taken));
  });

  it('refuse a node of more devices than can be counted', () => {
    expect(() => new DeviceAccounts([gpuNode(MAX_DEVICES + 1)])).toThrow(RangeError);
  });

  it('never go below 0 with pods that fit, and come back to where they were', () => {
    const nodes = fc.array(someNode, { minLength: 1, maxLength: 4 });
    const pods = fc.array(fc.tuple(fc.nat(3), someRequest), { maxLength: 40 });
    fc.assert(
      fc.property(nodes, pods, (given, asked) => {
        const accounts = new DeviceAccounts(given);
        const placed = asked.flatMap(([at, spec]) => {
          const node = at % given.length;
          if (!accounts.fits(node, spec)) return [];
          const on =
            spec.devices === 1
              ? accounts.tightestDevice(node, spec.milliPerDevice)
              : accounts.firstDevices(node, spec);
          accounts.place(node, spec, on);
          return [() => accounts.place(node, spec, on, -1)];
        });
        const { milliLeft, cpuLeft, memoryLeft, podsLeft } = accounts;
        for (const column of [milliLeft, cpuLeft, memoryLeft, podsLeft]) {
          expect(Math.min(...column)).toBeGreaterThanOrEqual(0);
        }
        placed.reverse().forEach((giveBack) => giveBack());
        expect(accounts).toEqual(new DeviceAccounts(given));
      }),
    );
  });
});
