import { describe, expect, it } from 'vitest';
import type { InstanceType } from '../../../shared/api/instance.ts';
import { familyAndSize } from '../../../shared/core/capacity/catalogue/families.ts';
import {
  byFamily,
  listedPrice,
  pricedRegions,
  pricePerHour,
  pricesAbout,
  REFERENCE_REGION,
  SPOT_SHARE,
  usualPrice,
} from '../../../shared/core/capacity/catalogue/prices.ts';
import { allInstanceTypes, instanceType } from '../../../shared/core/capacity/catalogue/types.ts';

const ALL = allInstanceTypes();
const LISTED = ALL.filter(({ name }) => listedPrice(name, REFERENCE_REGION) !== undefined);

function known(name: string): InstanceType {
  const type = instanceType(name);
  if (!type) throw new Error(`no type ${name}`);
  return type;
}

/** How much dearer one is than the other, whichever it is. */
const factor = (a: number, b: number) => Math.max(a / b, b / a);

describe('prices', () => {
  it.each([
    ['t3.medium', 0.0416],
    ['m5.large', 0.096],
    ['m7i.xlarge', 0.2016],
    ['c7g.medium', 0.0363],
    ['r5.2xlarge', 0.504],
    ['g4dn.xlarge', 0.526],
    ['g5.12xlarge', 5.672],
    ['p4d.24xlarge', 21.957642],
    ['p5.48xlarge', 55.04],
  ])('of %s are %s $ an hour', (name, usdPerHour) => {
    const price = { usdPerHour, isEstimate: false };
    expect(pricePerHour(known(name), 'on-demand')).toEqual(price);
    expect(pricePerHour(known(name), 'on-demand', 'us-east-1c')).toEqual(price);
  });

  it('are listed for most types, and say of which day', () => {
    expect(pricedRegions).toContain(REFERENCE_REGION);
    expect(LISTED.length / ALL.length).toBeGreaterThan(0.9);
    expect(pricesAbout.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  it('are there for every type, capacity and zone', () => {
    const wrong = ALL.filter((type) =>
      (['on-demand', 'spot'] as const).some((capacityType) =>
        [undefined, 'us-east-1a', 'eu-west-1b', 'local-1a'].some((zone) => {
          const { usdPerHour } = pricePerHour(type, capacityType, zone);
          return !(usdPerHour > 0.001 && usdPerHour < 500);
        }),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('grow with the size, for most families in proportion', () => {
    const families = Map.groupBy(LISTED, ({ name }) => familyAndSize(name)[0]);
    const wrong = [...families.values()].flatMap((types) => {
      const bySize = [...types].sort((a, b) => usualPrice(a) - usualPrice(b));
      return bySize.filter((type, i) => {
        const smaller = bySize[i - 1];
        const price = ({ name }: InstanceType) => listedPrice(name, REFERENCE_REGION) ?? 0;
        return smaller !== undefined && price(type) < price(smaller) * 0.99;
      });
    });
    // So the list has it: four GPUs are cheaper than one with more processors, and r8gb.metal-24xl
    // is dearer than the metal of twice its size.
    expect(wrong.map(({ name }) => name)).toEqual(['g4dn.12xlarge', 'r8gb.48xlarge']);
    const odd = LISTED.filter((type) => {
      const sibling = byFamily(type);
      return (
        sibling !== undefined && factor(sibling, pricePerHour(type, 'on-demand').usdPerHour) > 2.2
      );
    });
    expect(odd).toEqual([]);
  });
});

describe('a price that is not listed', () => {
  it('is that of the reference region in another one', () => {
    const price = pricePerHour(known('m5.large'), 'on-demand', 'eu-west-1b');
    expect(price).toEqual({ usdPerHour: 0.096, isEstimate: true });
    expect(pricePerHour(known('m5.large'), 'on-demand', 'local-1a').isEstimate).toBe(true);
  });

  it('is that of its family’s nearest size', () => {
    const { isEstimate, usdPerHour } = pricePerHour(known('i8g.metal-48xl'), 'on-demand');
    expect(listedPrice('i8g.metal-48xl', REFERENCE_REGION)).toBeUndefined();
    expect(isEstimate).toBe(true);
    expect(usdPerHour).toBeCloseTo(listedPrice('i8g.48xlarge', REFERENCE_REGION) ?? 0, 6);
  });

  it('is the usual one where the family has none', () => {
    const type = known('m8azn.xlarge');
    expect(byFamily(type)).toBeUndefined();
    const price = pricePerHour(type, 'on-demand');
    expect(price).toEqual({ usdPerHour: usualPrice(type), isEstimate: true });
  });

  it('would be near the listed one for most types', () => {
    const near = (estimate: (type: InstanceType) => number | undefined, most: number) => {
      const errors = LISTED.flatMap((type) => {
        const estimated = estimate(type);
        const listed = listedPrice(type.name, REFERENCE_REGION) ?? 0;
        return estimated === undefined ? [] : [factor(estimated, listed)];
      });
      return errors.filter((error) => error <= most).length / errors.length;
    };
    expect(near(byFamily, 1.1)).toBeGreaterThan(0.9);
    expect(near(usualPrice, 1.5)).toBeGreaterThan(0.9);
  });
});

describe('a price of Spot', () => {
  it('is a part of the one on demand, and an estimate', () => {
    const price = pricePerHour(known('m5.large'), 'spot', 'us-east-1a');
    expect(price).toEqual({ usdPerHour: 0.096 * SPOT_SHARE, isEstimate: true });
  });
});
