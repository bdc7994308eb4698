/** EC2's instance types as ours. Source: Amazon EC2 API reference, InstanceTypeInfo. */
import type { InstanceTypeInfo, NetworkInfo } from '@aws-sdk/client-ec2';
import type {
  CapacityType,
  Device,
  InstanceShape,
  InstanceType,
} from '../../../shared/api/instance.ts';

const MBPS_PER_GBPS = 1000;
/** Neuron devices do not say who makes them. */
const AWS = 'aws';

/** Undefined where the answer lacks what a shape is. */
export function shapeOf(info: InstanceTypeInfo): InstanceShape | undefined {
  const cpus = info.VCpuInfo?.DefaultVCpus;
  const memoryMiB = info.MemoryInfo?.SizeInMiB;
  if (cpus === undefined || memoryMiB === undefined) return undefined;
  const isArm = info.ProcessorInfo?.SupportedArchitectures?.includes('arm64') ?? false;
  const cpuManufacturer = labelText(info.ProcessorInfo?.Manufacturer);
  return {
    cpus,
    memoryMiB,
    arch: isArm ? 'arm64' : 'amd64',
    ...(cpuManufacturer === '' ? {} : { cpuManufacturer }),
    ...(info.Hypervisor === undefined ? {} : { hypervisor: info.Hypervisor }),
    ...networkOf(info.NetworkInfo),
    ...nvmeOf(info),
    ...devicesOf(info),
  };
}

/**
 * The whole of a type; undefined where the answer lacks something, and for types on which no
 * container of Linux runs (those with macOS).
 */
export function instanceTypeOf(info: InstanceTypeInfo): InstanceType | undefined {
  const { InstanceType: name, NetworkInfo: network, SupportedUsageClasses: classes = [] } = info;
  const shape = shapeOf(info);
  const { SupportedArchitectures: architectures = [] } = info.ProcessorInfo ?? {};
  const runsLinux = architectures.some((one) => one === 'x86_64' || one === 'arm64');
  if (!name || !shape || !network || !runsLinux) return undefined;
  const { networkInterfaces, networkMbps } = shape;
  const { Ipv4AddressesPerInterface: ipv4PerInterface } = network;
  if (networkInterfaces === undefined || networkMbps === undefined) return undefined;
  if (ipv4PerInterface === undefined) return undefined;
  return {
    name,
    ...shape,
    networkInterfaces,
    networkMbps,
    ipv4PerInterface,
    efaInterfaces: network.EfaInfo?.MaximumEfaInterfaces ?? 0,
    isBareMetal: info.BareMetal === true,
    isBurstable: info.BurstablePerformanceSupported === true,
    isCurrentGeneration: info.CurrentGeneration === true,
    capacityTypes: CAPACITY_TYPES.filter((one) => classes.includes(one)),
  };
}

const CAPACITY_TYPES: readonly CapacityType[] = ['on-demand', 'spot'];

function networkOf(
  network: NetworkInfo | undefined,
): Pick<InstanceShape, 'networkInterfaces' | 'networkMbps'> {
  const { MaximumNetworkInterfaces: networkInterfaces, NetworkCards: cards = [] } = network ?? {};
  const gbps = cards.map(({ BaselineBandwidthInGbps }) => BaselineBandwidthInGbps);
  const known = gbps.filter((one) => one !== undefined);
  const networkMbps = Math.round(known.reduce((sum, one) => sum + one, 0) * MBPS_PER_GBPS);
  return {
    ...(networkInterfaces === undefined ? {} : { networkInterfaces }),
    ...(gbps.length > 0 && known.length === gbps.length ? { networkMbps } : {}),
  };
}

function nvmeOf({ InstanceStorageInfo: storage }: InstanceTypeInfo) {
  const { TotalSizeInGB: localNvmeGB, NvmeSupport } = storage ?? {};
  const isNvme = NvmeSupport === 'required' || NvmeSupport === 'supported';
  return localNvmeGB !== undefined && isNvme ? { localNvmeGB } : {};
}

/** As EC2 names a device of any kind; not every kind has every part. */
interface Told {
  readonly Name?: string | undefined;
  readonly Manufacturer?: string | undefined;
  readonly Count?: number | undefined;
  /** Where several machines share a GPU, it counts none and some logical ones. */
  readonly LogicalGpuCount?: number | undefined;
  readonly MemoryInfo?: { readonly SizeInMiB?: number | undefined } | undefined;
}

function devicesOf(info: InstanceTypeInfo): Pick<InstanceShape, 'gpu' | 'accelerator'> {
  const gpu: Told | undefined = info.GpuInfo?.Gpus?.[0];
  const neuron: Told | undefined = info.NeuronInfo?.NeuronDevices?.[0];
  const accelerator: Told | undefined =
    info.InferenceAcceleratorInfo?.Accelerators?.[0] ??
    (neuron && { Manufacturer: AWS, ...neuron }) ??
    info.MediaAcceleratorInfo?.Accelerators?.[0] ??
    info.FpgaInfo?.Fpgas?.[0];
  return {
    ...(gpu ? { gpu: deviceOf(gpu) } : {}),
    ...(accelerator ? { accelerator: deviceOf(accelerator) } : {}),
  };
}

function deviceOf({ Name, Manufacturer, Count, LogicalGpuCount, MemoryInfo }: Told): Device {
  return {
    name: labelText(Name),
    manufacturer: labelText(Manufacturer),
    count: Count || (LogicalGpuCount ?? 0),
    memoryMiB: MemoryInfo?.SizeInMiB ?? 0,
  };
}

/** As Karpenter writes them: `A10G` becomes `a10g`. */
function labelText(name = ''): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
