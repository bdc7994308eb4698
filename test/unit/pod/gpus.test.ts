import { describe, expect, it } from 'vitest';
import type { Container } from '../../../shared/api/kinds/container.ts';
import type { Pod, PodSpec } from '../../../shared/api/kinds/pod.ts';
import { PodConfig } from '../../../shared/control/pod-config.ts';
import { taskSpecOf } from '../../../shared/control/task-spec.ts';
import { withIntent } from '../../../shared/core/pod/attempt.ts';
import { gpuAskOf } from '../../../shared/core/pod/gpus.ts';
import { container, makePod } from './pod-life.ts';

const limits = (amounts: { readonly [resource: string]: string }): Partial<Container> => ({
  resources: { limits: amounts },
});
const PART = limits({ 'nullplane.io/gpu-milli': '250', 'nullplane.io/gpu-memory-mib': '4000' });

function taskOf(spec: Partial<PodSpec>, given: Partial<Pod> = {}) {
  const made = makePod(spec);
  const metadata = { ...made.metadata, ...given.metadata };
  const control = { ...made.control, ...given.control };
  return taskSpecOf({ ...made, metadata, control }, new PodConfig(new Map()));
}

const seen = ({ env }: ReturnType<typeof taskOf>['containers'][number]) =>
  env.filter(({ name }) => name === 'NVIDIA_VISIBLE_DEVICES').map(({ value }) => value);

describe('what a pod asks of GPUs', () => {
  it('is told container by container', () => {
    const containers = [container('a', PART), container('b', limits({ 'nvidia.com/gpu': '2' }))];
    expect(gpuAskOf(makePod({ containers }))?.parts).toMatchObject([
      { container: 'a', kind: 'share', count: 1, milli: 250, memoryMiB: 4000 },
      { container: 'b', kind: 'whole', count: 2 },
    ]);
    expect(gpuAskOf(makePod({ containers: [container('a')] }))).toBeUndefined();
  });

  it.each([
    ['1', ['main:1']],
    ['3', ['main:1', ':2']],
  ])('has more where an init container wants %s', (count, expected) => {
    const ask = gpuAskOf(
      makePod({
        initContainers: [container('first', limits({ 'nvidia.com/gpu': count }))],
        containers: [container('main', limits({ 'nvidia.com/gpu': '1' }))],
      }),
    );
    expect(ask?.parts.map((part) => `${part.container}:${part.count}`)).toEqual(expected);
  });
});

describe('the task of a pod with GPUs', () => {
  it('has the same devices at the next attempt', () => {
    const gpuDevices = { main: '3' };
    const given = { ...makePod({}), control: { attempt: 1, intentAtMs: 1, gpuDevices } };
    expect(withIntent(given, 2, 10).control).toMatchObject({ attempt: 2, gpuDevices });
  });

  it('sees the devices that were chosen, whatever its owner says of them', () => {
    const env = [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'all' }];
    const containers = [
      container('a', { ...PART, env }),
      container('b', { env }),
      container('c', limits({ 'nvidia.com/mig-1g.5gb': '2' })),
    ];
    const control = { attempt: 1, gpuDevices: { a: '3', c: '0:1,0:2' } };
    const task = taskOf({ containers }, { control });
    expect(task.containers.map(seen)).toEqual([['3'], ['void'], ['0:1,0:2']]);
    expect(task.containers.map(({ gpuDevices }) => gpuDevices)).toEqual([
      ['3'],
      [],
      ['0:1', '0:2'],
    ]);
    expect(task.containers.map(({ gpus }) => gpus)).toEqual([0, 0, 0]);
  });

  it('lets init containers see as many whole ones as they ask for', () => {
    const initContainers = [
      container('first', limits({ 'nvidia.com/gpu': '3' })),
      container('none'),
    ];
    const containers = [container('main', limits({ 'nvidia.com/gpu': '1' }))];
    const control = { attempt: 1, gpuDevices: { main: '0', '': '2,5' } };
    const task = taskOf({ initContainers, containers }, { control });
    expect(task.initContainers.map(seen)).toEqual([['0,2,5'], ['void']]);
    expect(task.containers.map(seen)).toEqual([['0']]);
  });

  it('leaves whole ones, and parts that are kept apart, to the runtime elsewhere', () => {
    const containers = [container('a', limits({ 'nvidia.com/gpu': '2' }))];
    expect(taskOf({ containers }).containers[0]).toMatchObject({ gpus: 2, env: [] });
    const annotations = { 'nullplane.io/gpu-isolation': 'mps' };
    const metadata = { ...makePod({}).metadata, annotations };
    const isolated = taskOf({ containers: [container('a', PART)] }, { metadata });
    expect(isolated.containers[0]).toMatchObject({
      gpus: 0,
      gpuShare: { milli: 250, memoryMiB: 4000 },
    });
  });
});
