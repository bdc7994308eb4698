/**
 * A few instance types, as DescribeInstanceTypes has them. Prices are for the order of allocation
 * strategies only.
 */
export interface InstanceType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly maxInterfaces: number;
  readonly arm?: boolean;
  readonly gpus?: { readonly name: string; readonly count: number; readonly memoryMiB: number };
  /** Dollars an hour, On-Demand. */
  readonly price: number;
}

const GIB = 1024;

const T4 = { name: 'T4', count: 1, memoryMiB: 16 * GIB };
const A10G = { name: 'A10G', count: 1, memoryMiB: 22_888 };
const A100 = { name: 'A100', count: 8, memoryMiB: 40 * GIB };

export const INSTANCE_TYPES: readonly InstanceType[] = [
  plain('t3.medium', 2, 4, 3, 0.0416),
  plain('m5.large', 2, 8, 3, 0.096),
  plain('m5.xlarge', 4, 16, 4, 0.192),
  plain('m5.2xlarge', 8, 32, 4, 0.384),
  plain('m5.4xlarge', 16, 64, 8, 0.768),
  plain('m6i.large', 2, 8, 3, 0.096),
  plain('m6i.xlarge', 4, 16, 4, 0.192),
  plain('c5.large', 2, 4, 3, 0.085),
  plain('c5.xlarge', 4, 8, 4, 0.17),
  plain('c5.2xlarge', 8, 16, 4, 0.34),
  plain('r5.large', 2, 16, 3, 0.126),
  { ...plain('m7g.large', 2, 8, 3, 0.0816), arm: true },
  { ...plain('m7g.xlarge', 4, 16, 4, 0.1632), arm: true },
  { ...plain('g4dn.xlarge', 4, 16, 3, 0.526), gpus: T4 },
  { ...plain('g4dn.12xlarge', 48, 192, 8, 3.912), gpus: { ...T4, count: 4 } },
  { ...plain('g5.xlarge', 4, 16, 4, 1.006), gpus: A10G },
  { ...plain('g5.12xlarge', 48, 192, 15, 5.672), gpus: { ...A10G, count: 4 } },
  { ...plain('p4d.24xlarge', 96, 1152, 60, 32.77), gpus: A100 },
];

function plain(
  name: string,
  vcpus: number,
  memoryGiB: number,
  maxInterfaces: number,
  price: number,
): InstanceType {
  return { name, vcpus, memoryMiB: memoryGiB * GIB, maxInterfaces, price };
}

export function instanceType(name: string): InstanceType | undefined {
  return INSTANCE_TYPES.find((type) => type.name === name);
}

/** With the element names of the answer. */
export function instanceTypeView(type: InstanceType): object {
  const { gpus, vcpus, memoryMiB } = type;
  return {
    instanceType: type.name,
    currentGeneration: true,
    supportedUsageClasses: ['on-demand', 'spot'],
    bareMetal: false,
    hypervisor: 'nitro',
    processorInfo: { supportedArchitectures: [type.arm ? 'arm64' : 'x86_64'] },
    vCpuInfo: { defaultVCpus: vcpus, defaultCores: Math.ceil(vcpus / 2), defaultThreadsPerCore: 2 },
    memoryInfo: { sizeInMiB: memoryMiB },
    networkInfo: { maximumNetworkInterfaces: type.maxInterfaces },
    ...(gpus && {
      gpuInfo: {
        gpus: [
          {
            name: gpus.name,
            manufacturer: 'NVIDIA',
            count: gpus.count,
            memoryInfo: { sizeInMiB: gpus.memoryMiB },
          },
        ],
        totalGpuMemoryInMiB: gpus.count * gpus.memoryMiB,
      },
    }),
  };
}
