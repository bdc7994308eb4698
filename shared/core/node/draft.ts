/**
 * Drafts of nodes: what every node object has, and the labels by which pods choose among machines.
 * Sources: Kubernetes' well-known labels; the labels of Karpenter's AWS provider.
 */
import type { InstanceShape } from '../../api/instance.ts';
import type { Node } from '../../api/kinds/node.ts';
import { draftMeta, type Labels } from '../../api/meta.ts';
import { rfc3339 } from '../../api/time.ts';

/** What kubectl shows as the version of what runs the pods. */
const KUBELET_VERSION = 'v1.33.0-nullplane';

export interface NodeDraft {
  readonly name: string;
  readonly providerID: string;
  readonly labels: Labels;
  readonly capacity: { readonly [resource: string]: string };
  readonly allocatable: { readonly [resource: string]: string };
  readonly addresses?: Node['status']['addresses'];
  readonly containerRuntimeVersion: string;
  readonly osImage: string;
}

/** A node that is ready from the start. */
export function draftNode(draft: NodeDraft, nowMs: number): Node {
  const { name, providerID, capacity, allocatable, containerRuntimeVersion, osImage } = draft;
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...draft.labels };
  const now = rfc3339(nowMs);
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'the node takes tasks',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  } as const;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: draftMeta({ name, labels }),
    spec: { providerID },
    status: {
      capacity,
      allocatable,
      conditions: [ready],
      addresses: draft.addresses ?? [{ type: 'Hostname', address: name }],
      nodeInfo: {
        kubeletVersion: KUBELET_VERSION,
        operatingSystem: labels['kubernetes.io/os'],
        architecture: draft.labels['kubernetes.io/arch'] ?? 'amd64',
        containerRuntimeVersion,
        osImage,
        kernelVersion: '',
        bootID: '',
        machineID: '',
        systemUUID: '',
        kubeProxyVersion: '',
      },
    },
  };
}

const KARPENTER = 'karpenter.k8s.aws/instance-';

/** What pods may choose a type of machine by; its size only where the shape is known. */
export function typeLabels(type: string, shape: InstanceShape | undefined): Labels {
  const [, category, generation] = /^([a-z]+)(\d+)/.exec(type) ?? [];
  const [family, size] = type.split('.');
  const { gpu, accelerator } = shape ?? {};
  return present({
    'node.kubernetes.io/instance-type': type,
    'kubernetes.io/arch': shape?.arch,
    [`${KARPENTER}category`]: category,
    [`${KARPENTER}generation`]: generation,
    [`${KARPENTER}family`]: family,
    [`${KARPENTER}size`]: size,
    [`${KARPENTER}cpu`]: shape?.cpus,
    [`${KARPENTER}memory`]: shape?.memoryMiB,
    [`${KARPENTER}gpu-name`]: gpu?.name,
    [`${KARPENTER}gpu-manufacturer`]: gpu?.manufacturer,
    [`${KARPENTER}gpu-count`]: gpu?.count,
    [`${KARPENTER}gpu-memory`]: gpu?.memoryMiB,
    [`${KARPENTER}accelerator-name`]: accelerator?.name,
    [`${KARPENTER}accelerator-manufacturer`]: accelerator?.manufacturer,
    [`${KARPENTER}accelerator-count`]: accelerator?.count,
    [`${KARPENTER}cpu-manufacturer`]: shape?.cpuManufacturer,
    [`${KARPENTER}hypervisor`]: shape?.hypervisor,
    [`${KARPENTER}local-nvme`]: shape?.localNvmeGB,
    [`${KARPENTER}network-bandwidth`]: shape?.networkMbps,
  });
}

function present(labels: { readonly [key: string]: string | number | undefined }): Labels {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [[key, String(value)] as const],
    ),
  );
}
