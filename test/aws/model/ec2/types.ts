/**
 * Instance types as DescribeInstanceTypes has them: those of the catalogue, told back in the words
 * of the wire.
 */
import type { Device, InstanceType } from '../../../../shared/api/instance.ts';
import { pricePerHour } from '../../../../shared/core/capacity/catalogue/prices.ts';

const MBPS_PER_GBPS = 1000;

/** For the order of allocation strategies: dollars an hour, on demand. */
export function priceOf(type: InstanceType): number {
  return pricePerHour(type, 'on-demand').usdPerHour;
}

/** With the element names of the answer. */
export function instanceTypeView(type: InstanceType): object {
  const { gpu, accelerator, cpus, memoryMiB, localNvmeGB } = type;
  return {
    instanceType: type.name,
    currentGeneration: type.isCurrentGeneration,
    supportedUsageClasses: type.capacityTypes,
    bareMetal: type.isBareMetal,
    burstablePerformanceSupported: type.isBurstable,
    ...(type.hypervisor !== undefined && { hypervisor: type.hypervisor }),
    processorInfo: {
      supportedArchitectures: [type.arch === 'arm64' ? 'arm64' : 'x86_64'],
      manufacturer: type.cpuManufacturer,
    },
    vCpuInfo: { defaultVCpus: cpus },
    memoryInfo: { sizeInMiB: memoryMiB },
    networkInfo: networkView(type),
    ...(localNvmeGB !== undefined && {
      instanceStorageInfo: { totalSizeInGB: localNvmeGB, nvmeSupport: 'required' },
    }),
    ...(gpu && {
      gpuInfo: { gpus: [deviceView(gpu)], totalGpuMemoryInMiB: gpu.count * gpu.memoryMiB },
    }),
    // This list calls its elements `member`. Of whatever kind the device is, it is told here.
    ...(accelerator && {
      inferenceAcceleratorInfo: { accelerators: { member: deviceView(accelerator) } },
    }),
  };
}

function networkView(type: InstanceType): object {
  const { networkInterfaces, networkMbps, ipv4PerInterface, efaInterfaces } = type;
  return {
    maximumNetworkInterfaces: networkInterfaces,
    ipv4AddressesPerInterface: ipv4PerInterface,
    efaSupported: efaInterfaces > 0,
    ...(efaInterfaces > 0 && { efaInfo: { maximumEfaInterfaces: efaInterfaces } }),
    networkCards: [{ networkCardIndex: 0, baselineBandwidthInGbps: networkMbps / MBPS_PER_GBPS }],
  };
}

/** EC2 writes the names of devices in capitals. */
function deviceView({ name, manufacturer = '', count, memoryMiB }: Device): object {
  return {
    name: name.toUpperCase(),
    manufacturer: manufacturer.toUpperCase(),
    count,
    memoryInfo: { sizeInMiB: memoryMiB },
  };
}
