import { describe, expect, it } from 'vitest';
import { Demand } from '../../../../shared/core/scheduling/gpu/demand.ts';
import {
  ANY_MODEL,
  gpuMilli,
  isPartial,
  kindKey,
  takesModel,
} from '../../../../shared/core/scheduling/gpu/request.ts';
import { part, request } from './fixtures.ts';

describe('requests', () => {
  it.each([
    ['a part', part(999), true, 999],
    ['a whole GPU', request(), false, 1000],
    ['some GPUs', request({ devices: 4 }), false, 4000],
    ['no GPU', request({ devices: 0, milliPerDevice: 0 }), false, 0],
  ])('%s', (_, asked, partial, milli) => {
    expect([isPartial(asked), gpuMilli(asked)]).toEqual([partial, milli]);
  });

  it('take models by their bits, and any by all of them', () => {
    expect([0, 1, 2].map((model) => takesModel(0b101, model))).toEqual([true, false, true]);
    expect(takesModel(ANY_MODEL, 30)).toBe(true);
  });

  it('are of one kind whatever their memory, and without GPUs whatever they ask of one', () => {
    expect(kindKey(request({ memory: 7 }))).toBe(kindKey(request()));
    expect(kindKey(request({ devices: 0, milliPerDevice: 5 }))).toBe(
      kindKey(request({ devices: 0, milliPerDevice: 0 })),
    );
    expect(kindKey(part(500))).not.toBe(kindKey(request()));
  });
});

describe('demand', () => {
  it('stands for 95 % of the pods, the most frequent first', () => {
    const demand = new Demand();
    demand.count(part(300), 4);
    demand.count(request(), 92);
    demand.count(part(700), 4);
    const kinds = demand.typical().map(({ milliPerDevice, share }) => [milliPerDevice, share]);
    expect(kinds).toEqual([
      [1000, 92 / 96],
      [300, 4 / 96],
    ]);
  });

  it('forgets what arrived long ago, unless told not to', () => {
    const share = (demand: Demand): number => {
      demand.count(request(), 100);
      for (let i = 0; i < 3; i++) demand.count(part(500), 100);
      return demand.typical(1)[0]?.share ?? 0;
    };
    expect(share(new Demand(Infinity))).toBe(0.75);
    expect(share(new Demand(100))).toBeGreaterThan(0.8);
  });

  it('remembers no more kinds than it may, and those that are frequent', () => {
    const demand = new Demand();
    demand.count(request(), 10);
    for (let cpuMillis = 0; cpuMillis < 6_000; cpuMillis++) demand.count(part(1, { cpuMillis }));
    expect(demand.seen).toBe(6_010);
    expect(demand.typical(1)).toHaveLength(256);
    expect(demand.typical(0.001)[0]?.milliPerDevice).toBe(1000);
  });
});
