/**
 * What containers may ask of GPUs together: whole devices, a part of one, or slices. Amounts as
 * such are container.ts.
 */
import {
  GPU,
  GPU_ISOLATION_ANNOTATION,
  GPU_MEMORY,
  GPU_MILLI,
  isGpuResource,
  WHOLE_GPU_MILLI,
} from '../gpus.ts';
import type { Container } from '../kinds/container.ts';
import type { PodSpec } from '../kinds/pod.ts';
import { wholeValue } from '../quantity.ts';
import type { Faults } from './faults.ts';

type Annotations = { readonly [name: string]: string };

/** `field` is where the pod, or its template, is; '' for a pod. */
export function checkGpus(
  spec: PodSpec,
  annotations: Annotations | undefined,
  field: string,
  faults: Faults,
): void {
  const prefix = field === '' ? '' : `${field}.`;
  for (const [index, container] of spec.containers.entries()) {
    checkContainer(container, `${prefix}spec.containers[${index}].resources.limits`, faults);
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const path = `${prefix}spec.initContainers[${index}].resources.limits`;
    for (const resource of gpuResources(container)) {
      if (resource === GPU) continue;
      faults.forbidden(`${path}[${resource}]`, 'init containers see whole GPUs only');
    }
  }
  const isolation = annotations?.[GPU_ISOLATION_ANNOTATION];
  if (isolation !== undefined) checkIsolation(isolation, spec, prefix, faults);
}

function amountsOf({ resources }: Container): { readonly [name: string]: string } {
  return { ...resources.requests, ...resources.limits };
}

function gpuResources(container: Container): readonly string[] {
  return Object.entries(amountsOf(container)).flatMap(([name, amount]) =>
    isGpuResource(name) && wholeValue(amount) > 0 ? [name] : [],
  );
}

function checkContainer(container: Container, field: string, faults: Faults): void {
  const asked = gpuResources(container);
  const amounts = amountsOf(container);
  const milli = amounts[GPU_MILLI];
  if (milli !== undefined && wholeValue(milli) > WHOLE_GPU_MILLI) {
    const detail =
      `must be at most ${WHOLE_GPU_MILLI}, which is one device: ` +
      'whole devices are asked for as nvidia.com/gpu';
    faults.invalid(`${field}[${GPU_MILLI}]`, milli, detail);
  }
  if (asked.length > 1) {
    const both = [...asked].sort().join(' and ');
    const detail = `a container asks for one kind of GPUs, not for ${both}`;
    faults.forbidden(field, detail);
  }
  if (amounts[GPU_MEMORY] !== undefined && !asked.includes(GPU_MILLI)) {
    faults.forbidden(`${field}[${GPU_MEMORY}]`, `goes with ${GPU_MILLI}, of the same device`);
  }
}

/**
 * Amazon ECS shares a GPU by MPS between containers that all say how much memory they take; the
 * containers of one task share one GPU, and none of them may have whole ones.
 */
function checkIsolation(value: string, spec: PodSpec, prefix: string, faults: Faults): void {
  const path = `${prefix}metadata.annotations[${GPU_ISOLATION_ANNOTATION}]`;
  if (value !== 'mps') {
    faults.notSupported(path, value, ['mps']);
    return;
  }
  const asking = spec.containers.filter((container) => gpuResources(container).length > 0);
  const [container] = asking;
  const amounts = container ? amountsOf(container) : {};
  const isPart = amounts[GPU_MILLI] !== undefined && wholeValue(amounts[GPU_MEMORY] ?? '0') > 0;
  if (asking.length === 1 && isPart) return;
  const detail = `one container of the pod must ask for ${GPU_MILLI} and ${GPU_MEMORY}`;
  faults.invalid(path, value, detail);
}
