/** How the catalogue's files are made of what AWS and others say. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeTypes, type InstanceTypeInfo } from '../../../adapters/aws/ec2/catalogue.ts';
import { ec2Products } from '../../../adapters/aws/pricing/price-list.ts';
import {
  offeringsFile,
  pricesFile,
  typesFile,
  typesOf,
} from '../../../scripts/catalogue/snapshots.ts';
import { pricesOfProducts, pricesOfTable } from '../../../scripts/catalogue/sources.ts';
import { allInstanceTypes } from '../../../shared/core/capacity/catalogue/types.ts';
import { Bench } from '../aws-model/support.ts';

const ABOUT = { source: 'a test', date: '2026-01-01' };

const M7I: InstanceTypeInfo = {
  InstanceType: 'm7i.xlarge',
  BareMetal: false,
  BurstablePerformanceSupported: false,
  CurrentGeneration: true,
  Hypervisor: 'nitro',
  SupportedUsageClasses: ['on-demand', 'spot'],
  ProcessorInfo: { SupportedArchitectures: ['x86_64'], Manufacturer: 'Intel' },
  VCpuInfo: { DefaultVCpus: 4 },
  MemoryInfo: { SizeInMiB: 16_384 },
  NetworkInfo: {
    MaximumNetworkInterfaces: 4,
    Ipv4AddressesPerInterface: 15,
    NetworkCards: [{ BaselineBandwidthInGbps: 1.562 }],
  },
};

function like(given: Partial<InstanceTypeInfo>): InstanceTypeInfo {
  return { ...M7I, ...given };
}

const lineOf = (given: Partial<InstanceTypeInfo>) => {
  return typesFile(typesOf([like(given)]), ABOUT).types[0];
};

describe('a type as EC2 describes it', () => {
  it('is a line', () => {
    expect(lineOf({})).toBe('m7i.xlarge 4 16384 4 15 1562 in');
  });

  it.each<[string, Partial<InstanceTypeInfo>, string]>([
    ['bare metal', { BareMetal: true, Hypervisor: undefined }, 'im'],
    ['a previous generation', { CurrentGeneration: false, Hypervisor: 'xen' }, 'ixp'],
    ['a burstable one', { BurstablePerformanceSupported: true }, 'inb'],
    ['one that Spot does not have', { SupportedUsageClasses: ['on-demand'] }, 'ino'],
    [
      'one of ARM',
      { ProcessorInfo: { SupportedArchitectures: ['arm64'], Manufacturer: 'AWS' } },
      'wna',
    ],
    [
      'one with GPUs',
      {
        GpuInfo: {
          Gpus: [
            { Name: 'A10G', Manufacturer: 'NVIDIA', Count: 4, MemoryInfo: { SizeInMiB: 22_888 } },
          ],
        },
      },
      'in gpu=a10g/nvidia/4/22888',
    ],
    [
      'one with a part of a GPU',
      {
        GpuInfo: {
          Gpus: [
            {
              ...{ Name: 'RTX PRO Server 6000', Manufacturer: 'NVIDIA' },
              ...{ Count: 0, LogicalGpuCount: 1, MemoryInfo: { SizeInMiB: 2861 } },
            },
          ],
        },
      },
      'in gpu=rtx-pro-server-6000/nvidia/1/2861',
    ],
    [
      'one with Neuron devices',
      {
        NeuronInfo: {
          NeuronDevices: [{ Name: 'Trainium', Count: 16, MemoryInfo: { SizeInMiB: 32_768 } }],
        },
      },
      'in acc=trainium/aws/16/32768',
    ],
    [
      'one with NVMe disks',
      { InstanceStorageInfo: { TotalSizeInGB: 3800, NvmeSupport: 'required' } },
      'in nvme=3800',
    ],
    [
      'one with disks of old',
      { InstanceStorageInfo: { TotalSizeInGB: 48_000, NvmeSupport: 'unsupported' } },
      'in',
    ],
  ])('is a line: %s', (_, given, end) => {
    expect(lineOf(given)).toBe(`m7i.xlarge 4 16384 4 15 1562 ${end}`);
  });

  it('has the bandwidth of all its cards', () => {
    const NetworkInfo = {
      ...M7I.NetworkInfo,
      NetworkCards: [{ BaselineBandwidthInGbps: 100 }, { BaselineBandwidthInGbps: 100 }],
      EfaInfo: { MaximumEfaInterfaces: 2 },
    };
    expect(lineOf({ NetworkInfo })).toBe('m7i.xlarge 4 16384 4 15 200000 in efa=2');
  });

  it.each<[string, Partial<InstanceTypeInfo>]>([
    ['runs macOS only', { ProcessorInfo: { SupportedArchitectures: ['arm64_mac'] } }],
    ['has no name', { InstanceType: undefined }],
    ['has no memory', { MemoryInfo: undefined }],
    ['has no network', { NetworkInfo: undefined }],
    ['does not say its bandwidth', { NetworkInfo: { ...M7I.NetworkInfo, NetworkCards: [{}] } }],
  ])('is left out where it %s', (_, given) => {
    expect(lineOf(given)).toBeUndefined();
  });

  it('comes back from the wire as it is in the catalogue, of every type', async () => {
    const described = typesOf(await describeTypes(new Bench().ec2));
    expect(described).toEqual(allInstanceTypes());
  });
});

describe('the files', () => {
  const names = ['c7g.large', 'm7i.large', 'm7i.xlarge', 'p5.48xlarge'] as const;
  const infos = names.map((InstanceType) => like({ InstanceType }));
  const offerings = [
    { type: 'm7i.large', zoneId: 'use1-az1' },
    { type: 'm7i.large', zoneId: 'use1-az2' },
    { type: 'm7i.xlarge', zoneId: 'use1-az2' },
    { type: 'c7g.large', zoneId: 'use1-az4' },
    { type: 'not.known', zoneId: 'use1-az9' },
  ];
  const prices = [
    ['m7i.xlarge', 0.2016],
    ['m7i.large', 0.1008],
    ['c7g.large', 0.0725],
    ['not.known', 1],
  ] as const;

  it('say where types are offered', () => {
    const file = offeringsFile(new Map([['us-east-1', offerings]]), typesOf(infos), ABOUT);
    expect(file.regions['us-east-1']).toEqual({
      zones: ['use1-az1', 'use1-az2', 'use1-az4'],
      types: ['c7g c', 'm7i ab xlarge=b'],
    });
  });

  it('say what types cost', () => {
    const file = pricesFile(new Map([['us-east-1', new Map(prices)]]), typesOf(infos), ABOUT);
    expect(file.regions['us-east-1']).toEqual([
      'c7g large=0.0725',
      'm7i large=0.1008 xlarge=0.2016',
    ]);
  });

  const shuffled = <T>(items: readonly T[]) =>
    fc.shuffledSubarray([...items], { minLength: items.length });

  it('are the same, whatever the order of what was said', () => {
    const text = (
      i: typeof infos,
      o: typeof offerings,
      p: readonly (readonly [string, number])[],
    ) => {
      const types = typesOf([...i, ...i]);
      return JSON.stringify([
        typesFile(types, ABOUT),
        offeringsFile(new Map([['us-east-1', o]]), types, ABOUT),
        pricesFile(new Map([['us-east-1', new Map(p)]]), types, ABOUT),
      ]);
    };
    const expected = text(infos, offerings, prices);
    fc.assert(
      fc.property(shuffled(infos), shuffled(offerings), shuffled(prices), (i, o, p) => {
        expect(text(i, o, p)).toBe(expected);
      }),
    );
  });
});

describe('prices as others have them', () => {
  it('are read from a table in Go', () => {
    const { date, byRegion } = pricesOfTable(`
      // generated at 2026-02-09T13:43:35Z for us-east-1
      import ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
      var InitialOnDemandPricesAWS = map[string]map[ec2types.InstanceType]float64{
        // us-east-1
        "us-east-1": {
          // c7i-flex family
          "c7i-flex.large": 0.084790, "u7in-16tb.224xlarge": 180.475580,
        },
        "eu-west-1": {
          "c7i-flex.large": 0.09,
        },
      }`);
    expect(date).toBe('2026-02-09');
    expect([...byRegion].map(([region, prices]) => [region, Object.fromEntries(prices)])).toEqual([
      ['us-east-1', { 'c7i-flex.large': 0.08479, 'u7in-16tb.224xlarge': 180.47558 }],
      ['eu-west-1', { 'c7i-flex.large': 0.09 }],
    ]);
    expect(() => pricesOfTable('"us-east-1": {"m5.large": 0.1,}')).toThrow(/no table/);
    expect(() => pricesOfTable('generated at 2026-02-09T00:00:00Z')).toThrow(/no table/);
  });

  const product = (type: string, ...usd: readonly string[]) =>
    JSON.stringify({
      product: { attributes: { instanceType: type, operatingSystem: 'Linux' } },
      terms: {
        OnDemand: Object.fromEntries(
          usd.map((USD, i) => [
            `offer-${i}`,
            { priceDimensions: { d: { unit: 'Hrs', pricePerUnit: { USD } } } },
          ]),
        ),
      },
    });

  it('are read from products of the price list', () => {
    const prices = pricesOfProducts([
      product('m7i.xlarge', '0.2016000000'),
      // What a reservation has paid for already costs nothing.
      product('m7i.large', '0.0000000000', '0.1008000000'),
      product('c7g.large'),
      '{}',
    ]);
    expect(Object.fromEntries(prices)).toEqual({ 'm7i.xlarge': 0.2016, 'm7i.large': 0.1008 });
  });
});

describe('the price list', () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

  function answering(answers: readonly Response[]) {
    const asked: { url: string; headers: Headers; body: Record<string, unknown> }[] = [];
    const left = [...answers];
    const fetch = async (url: string, { headers, body }: RequestInit) => {
      const text = JSON.parse(body as string) as Record<string, unknown>;
      asked.push({ url, headers: new Headers(headers), body: text });
      return left.shift() ?? new Response('none left', { status: 500 });
    };
    return { asked, options: { credentials, nowMs: () => 1_767_225_600_000, fetch } };
  }

  it('is asked for a region, page by page, in signed requests', async () => {
    const { asked, options } = answering([
      Response.json({ PriceList: ['a', 'b'], NextToken: 't' }),
      Response.json({ PriceList: ['c'] }),
    ]);
    expect(await ec2Products('eu-west-1', options)).toEqual(['a', 'b', 'c']);
    expect(asked.map(({ body }) => body['NextToken'])).toEqual([undefined, 't']);
    const [first] = asked;
    expect(first?.url).toBe('https://api.pricing.us-east-1.amazonaws.com/');
    expect(first?.headers.get('x-amz-target')).toBe('AWSPriceListService.GetProducts');
    expect(first?.headers.get('authorization')).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20260101\/us-east-1\/pricing\/aws4_request, /,
    );
    expect(first?.body['Filters']).toContainEqual({
      ...{ Type: 'TERM_MATCH', Field: 'regionCode', Value: 'eu-west-1' },
    });
  });

  it('says what was wrong, and does not go on for ever', async () => {
    const denied = new Response('{"__type":"AccessDeniedException"}', { status: 400 });
    const refusal = answering([denied]);
    await expect(ec2Products('eu-west-1', refusal.options)).rejects.toThrow(/400.*AccessDenied/);
    const pages = Array.from({ length: 200 }, () => Response.json({ NextToken: 't' }));
    await expect(ec2Products('eu-west-1', answering(pages).options)).rejects.toThrow(/100 pages/);
  });
});
