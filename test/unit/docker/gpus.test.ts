import { describe, expect, it } from 'vitest';
import { checkTask, memberOptions } from '../../../adapters/docker/container-options.ts';
import type { Engine } from '../../../adapters/docker/engine.ts';
import type { ContainerSpec } from '../../../shared/api/task.ts';
import { TaskRejected } from '../../../shared/ports/runtime.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';

const engine = (hasGpus: boolean) =>
  ({ hasGpus, cpuMillis: 8000, mountsSubPaths: true }) as unknown as Engine;

function requested(given: Partial<ContainerSpec>) {
  const spec = container('app', given);
  const task = taskSpec({ containers: [spec] });
  const options = memberOptions(engine(true), 'test', task, spec, 'main', new Map());
  return options.HostConfig?.DeviceRequests;
}

describe('GPUs on Docker', () => {
  it.each<[string, Partial<ContainerSpec>, unknown]>([
    ['any two', { gpus: 2 }, [{ Count: 2, Capabilities: [['gpu']] }]],
    [
      'those that were chosen',
      { gpuDevices: ['0', '1:2'] },
      [{ DeviceIDs: ['0', '1:2'], Capabilities: [['gpu']] }],
    ],
    ['none', { gpuDevices: [] }, undefined],
  ])('are asked for: %s', (_, given, expected) => {
    expect(requested(given)).toEqual(expected);
  });

  it.each<[string, Partial<ContainerSpec>, boolean, string | undefined]>([
    ['chosen ones where there are none', { gpuDevices: ['0'] }, false, 'GpuUnavailable'],
    ['chosen ones', { gpuDevices: ['0'] }, true, undefined],
    ['none where there are none', { gpuDevices: [] }, false, undefined],
    [
      'parts kept apart by MPS',
      { gpuShare: { milli: 1, memoryMiB: 1 } },
      true,
      'GpuIsolationUnsupported',
    ],
  ])('are refused, or not: %s', (_, given, hasGpus, reason) => {
    const check = () =>
      checkTask(engine(hasGpus), taskSpec({ containers: [container('app', given)] }));
    if (reason === undefined) return expect(check).not.toThrow();
    expect(check).toThrow(TaskRejected);
    expect(check).toThrow(expect.objectContaining({ reason }) as Error);
  });
});
