/** Facts of the catalogue against facts that are well known, and against themselves. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstanceType } from '../../../shared/api/instance.ts';
import { familyAndSize } from '../../../shared/core/capacity/catalogue/families.ts';
import {
  offeredRegions,
  offeredZoneIds,
} from '../../../shared/core/capacity/catalogue/offerings.ts';
import { decodeType, encodeType } from '../../../shared/core/capacity/catalogue/rows.ts';
import trunking from '../../../shared/core/capacity/catalogue/trunking.json' with { type: 'json' };
import { trunkedTasks } from '../../../shared/core/capacity/catalogue/trunking.ts';
import {
  allInstanceTypes,
  instanceType,
  typesAbout,
} from '../../../shared/core/capacity/catalogue/types.ts';

const ALL = allInstanceTypes();
const GIB = 1024;

function known(name: string): InstanceType {
  const type = instanceType(name);
  if (!type) throw new Error(`no type ${name}`);
  return type;
}

const FAMILIES = Map.groupBy(ALL, ({ name }) => familyAndSize(name)[0]);

describe('a type of the catalogue', () => {
  it.each<[string, number, number, InstanceType['arch'], number]>([
    ['m7i.xlarge', 4, 16, 'amd64', 4],
    ['m5.large', 2, 8, 'amd64', 3],
    ['c5.18xlarge', 72, 144, 'amd64', 15],
    ['r5.24xlarge', 96, 768, 'amd64', 15],
    ['c7g.medium', 1, 2, 'arm64', 2],
    ['m8g.48xlarge', 192, 768, 'arm64', 15],
    ['t4g.nano', 2, 0.5, 'arm64', 2],
    ['x1e.32xlarge', 128, 3904, 'amd64', 8],
    ['g5.12xlarge', 48, 192, 'amd64', 15],
    ['p4d.24xlarge', 96, 1152, 'amd64', 60],
  ])('%s has %d vCPUs, %d GiB, %s and %d interfaces', (name, cpus, gib, arch, interfaces) => {
    expect(known(name)).toMatchObject({
      ...{ cpus, memoryMiB: gib * GIB, arch, networkInterfaces: interfaces },
    });
  });

  it.each<[string, string, number, number]>([
    ['g4dn.xlarge', 't4', 1, 16 * GIB],
    ['g5.xlarge', 'a10g', 1, 22_888],
    ['g5.12xlarge', 'a10g', 4, 22_888],
    ['g6.48xlarge', 'l4', 8, 22_888],
    ['g6e.xlarge', 'l40s', 1, 45_776],
    ['p3dn.24xlarge', 'v100', 8, 32 * GIB],
    ['p4d.24xlarge', 'a100', 8, 40 * GIB],
    ['p4de.24xlarge', 'a100', 8, 80 * GIB],
    ['p5.48xlarge', 'h100', 8, 80 * GIB],
    ['g5g.xlarge', 't4g', 1, 16 * GIB],
    // An eighth of one is one that tasks may have.
    ['g6f.large', 'l4', 1, 2861],
  ])('%s has GPUs of NVIDIA: %s, %d of %d MiB', (name, gpu, count, memoryMiB) => {
    expect(known(name).gpu).toEqual({ name: gpu, manufacturer: 'nvidia', count, memoryMiB });
    expect(known(name).accelerator).toBeUndefined();
  });

  it.each([
    ['g4ad.xlarge', 'gpu', 'amd'],
    ['dl1.24xlarge', 'gpu', 'habana'],
    ['inf1.xlarge', 'accelerator', 'aws'],
    ['inf2.48xlarge', 'accelerator', 'aws'],
    ['trn1.32xlarge', 'accelerator', 'aws'],
    ['trn2.48xlarge', 'accelerator', 'aws'],
    ['dl2q.24xlarge', 'accelerator', 'qualcomm'],
    ['vt1.3xlarge', 'accelerator', 'xilinx'],
    ['f2.6xlarge', 'accelerator', 'xilinx'],
  ] as const)('%s has devices that are not NVIDIA’s', (name, kind, manufacturer) => {
    const { gpu, accelerator } = known(name);
    expect((kind === 'gpu' ? gpu : accelerator)?.manufacturer).toBe(manufacturer);
    expect(kind === 'gpu' ? accelerator : gpu).toBeUndefined();
  });

  it('says what else tells types apart', () => {
    expect(known('t3.micro')).toMatchObject({ isBurstable: true, networkMbps: 64 });
    expect(known('m7i.xlarge')).toMatchObject({ isBurstable: false, isBareMetal: false });
    expect(known('m7i.metal-24xl')).toMatchObject({ isBareMetal: true });
    expect(known('m7i.metal-24xl').hypervisor).toBeUndefined();
    expect(known('m4.large')).toMatchObject({ hypervisor: 'xen', isCurrentGeneration: false });
    expect(known('m7i.large')).toMatchObject({ hypervisor: 'nitro', isCurrentGeneration: true });
    expect(known('p5.48xlarge')).toMatchObject({ efaInterfaces: 32, networkMbps: 3_200_000 });
    expect(known('i3en.24xlarge').localNvmeGB).toBe(60_000);
    expect(known('m5.large').localNvmeGB).toBeUndefined();
    expect(known('c7g.large').cpuManufacturer).toBe('aws');
    expect(known('c7a.large').cpuManufacturer).toBe('amd');
    expect(known('u-3tb1.56xlarge').capacityTypes).toEqual(['on-demand']);
    expect(known('m7i.xlarge').capacityTypes).toEqual(['on-demand', 'spot']);
  });

  it('is none for what EC2 did not have, or what runs no Linux', () => {
    expect(instanceType('m99.large')).toBeUndefined();
    expect(ALL.filter(({ name }) => name.startsWith('mac'))).toEqual([]);
  });
});

describe('the catalogue', () => {
  it('has some thousand types, each once, in order, and says of which day', () => {
    const names = ALL.map(({ name }) => name);
    expect(names.length).toBeGreaterThan(1_000);
    expect(names).toEqual([...new Set(names)].sort());
    expect(typesAbout.date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(typesAbout.source).not.toBe('');
  });

  it('has whole types only', () => {
    const isCount = (n: number, least = 1) => Number.isInteger(n) && n >= least;
    const wrong = ALL.filter((type) => {
      const devices = [type.gpu, type.accelerator].filter((one) => one !== undefined);
      return !(
        /^[a-z0-9-]+\.[a-z0-9-]+$/.test(type.name) &&
        isCount(type.cpus) &&
        isCount(type.memoryMiB, 500) &&
        isCount(type.networkInterfaces) &&
        isCount(type.ipv4PerInterface) &&
        isCount(type.networkMbps) &&
        isCount(type.efaInterfaces, 0) &&
        isCount(type.localNvmeGB ?? 1) &&
        (type.hypervisor === undefined) === type.isBareMetal &&
        (type.arch === 'arm64') === (type.cpuManufacturer === 'aws') &&
        devices.every(({ name, manufacturer = '', count, memoryMiB }) => {
          const isNamed = /^[a-z0-9.-]{1,63}$/.test(name) && /^[a-z]+$/.test(manufacturer);
          return isNamed && isCount(count) && isCount(memoryMiB);
        })
      );
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('has larger sizes of a family with no less memory', () => {
    const wrong = [...FAMILIES.values()].flatMap((types) => {
      const sorted = [...types].sort((a, b) => a.cpus - b.cpus || a.memoryMiB - b.memoryMiB);
      return sorted.filter((type, i) => type.memoryMiB < (sorted[i - 1]?.memoryMiB ?? 0));
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('has all sizes of a family with the same processor, and devices of one kind', () => {
    const wrong = [...FAMILIES].filter(([, types]) => {
      const kinds = types.map((type) =>
        [type.arch, type.cpuManufacturer, type.gpu?.name, type.accelerator?.name].join(),
      );
      return new Set(kinds).size > 1;
    });
    expect(wrong.map(([family]) => family)).toEqual([]);
  });
});

describe('a type as a line', () => {
  it('comes back as it went, for every type', () => {
    expect(ALL.map((type) => decodeType(encodeType(type)))).toEqual(ALL);
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/);
  const count = fc.nat(1_000_000);
  const device = fc.record(
    { name: word, manufacturer: word, count, memoryMiB: count },
    { requiredKeys: ['name', 'count', 'memoryMiB'] },
  );
  const type: fc.Arbitrary<InstanceType> = fc.record(
    {
      name: word,
      arch: fc.constantFrom('amd64', 'arm64'),
      cpuManufacturer: fc.constantFrom('intel', 'amd', 'aws'),
      hypervisor: fc.constantFrom('nitro', 'xen'),
      ...{ cpus: count, memoryMiB: count, networkInterfaces: count, ipv4PerInterface: count },
      ...{ networkMbps: count, efaInterfaces: count, localNvmeGB: count },
      ...{ isBareMetal: fc.boolean(), isBurstable: fc.boolean() },
      isCurrentGeneration: fc.boolean(),
      capacityTypes: fc.constantFrom(['on-demand'] as const, ['on-demand', 'spot'] as const),
      ...{ gpu: device, accelerator: device },
    },
    {
      requiredKeys: [
        ...(['name', 'arch', 'cpus', 'memoryMiB', 'networkInterfaces'] as const),
        ...(['ipv4PerInterface', 'networkMbps', 'efaInterfaces', 'isBareMetal'] as const),
        ...(['isBurstable', 'isCurrentGeneration', 'capacityTypes'] as const),
      ],
    },
  );

  it('comes back as it went, for any type', () => {
    fc.assert(
      fc.property(type, (one) => {
        expect(decodeType(encodeType(one))).toEqual(one);
      }),
    );
  });

  it.each<[string, Partial<InstanceType>]>([
    ['a processor', { cpuManufacturer: 'other' }],
    ['a hypervisor', { hypervisor: 'other' }],
    ['a way to be had', { capacityTypes: ['spot'] }],
    ['a device', { gpu: { name: 'a b', count: 1, memoryMiB: 1 } }],
  ])('is refused with %s that it has no word for', (_, given) => {
    expect(() => encodeType({ ...known('m7i.xlarge'), ...given })).toThrow(RangeError);
  });
});

describe('where types are offered', () => {
  it.each<[string, string, string | undefined]>([
    ['m5.large', 'us-east-1', 'use1-az1'],
    ['g5.12xlarge', 'eu-west-1', 'euw1-az1'],
    ['p5.48xlarge', 'us-west-2', undefined],
  ])('%s is in %s', (type, region, zoneId) => {
    const zones = offeredZoneIds(type, region) ?? [];
    expect(zones.length).toBeGreaterThan(0);
    if (zoneId !== undefined) expect(zones).toContain(zoneId);
  });

  it('is nowhere for what a region does not have, and not known of other regions', () => {
    expect(offeredZoneIds('hpc7a.12xlarge', 'us-east-1')).toEqual([]);
    expect(offeredZoneIds('p6-b300.48xlarge', 'eu-central-1')).toEqual([]);
    expect(offeredZoneIds('m5.large', 'xx-none-1')).toBeUndefined();
  });

  it('is in one of the regions at least for nearly every type', () => {
    const homeless = ALL.filter(({ name }) =>
      offeredRegions.every((region) => offeredZoneIds(name, region)?.length === 0),
    );
    expect(homeless.map(({ name }) => familyAndSize(name)[0])).toEqual(
      homeless.map(() => expect.stringMatching(/^(hpc|p|trn|dl|u|x8aedz)/) as string),
    );
    expect(homeless.length).toBeLessThan(20);
  });
});

describe('tasks on a trunk', () => {
  it.each([
    ['c5.large', 10],
    ['m5.24xlarge', 120],
    ['m6i.8xlarge', 90],
    ['m7g.medium', 4],
    ['a1.medium', 10],
    ['g5.xlarge', 6],
    ['p4d.24xlarge', 120],
    // Types that the guide calls unsupported, or does not know.
    ['c5a.8xlarge', undefined],
    ['m5n.large', undefined],
    ['a1.metal', undefined],
    ['t3.large', undefined],
    ['m8g.large', undefined],
  ])('%s takes %s', (type, tasks) => {
    expect(trunkedTasks(type)).toBe(tasks);
  });

  it('are said of families and types that there are', () => {
    const families = trunking.limits.flatMap((limits) => limits.families);
    expect(families.filter((family) => !FAMILIES.has(family))).toEqual([]);
    expect(new Set(families).size).toBe(families.length);
    const except = trunking.limits.flatMap((limits) => limits.except);
    expect(except.filter((name) => !instanceType(name))).toEqual([]);
  });

  it('are no fewer than without one', () => {
    const fewer = ALL.filter((type) => {
      return (trunkedTasks(type.name) ?? Infinity) < type.networkInterfaces - 1;
    });
    expect(fewer.map(({ name }) => name)).toEqual([]);
  });
});
