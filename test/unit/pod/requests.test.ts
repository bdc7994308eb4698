import { describe, expect, it } from 'vitest';
import { podRequests } from '../../../shared/core/pod/requests.ts';

const GIB = 1024 ** 3;

function container(requests: object, extra: object = {}) {
  return {
    name: 'c',
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File' as const,
    resources: { requests: requests as { [resource: string]: string } },
    ...extra,
  };
}

describe('what a pod asks of its node', () => {
  it('is nothing when nothing is asked', () => {
    expect(podRequests({ containers: [container({})] })).toEqual({});
  });

  it('is the sum of its containers, in millicores, bytes and whole units', () => {
    const containers = [
      container({ cpu: '500m', memory: '1Gi', 'nvidia.com/gpu': '1' }),
      container({ cpu: '1.5', memory: '1Gi' }),
    ];
    expect(podRequests({ containers })).toEqual({
      cpu: 2000,
      memory: 2 * GIB,
      'nvidia.com/gpu': 1,
    });
  });

  it('is at least what the largest init container asks', () => {
    const containers = [container({ cpu: '1' })];
    const initContainers = [container({ cpu: '3' }), container({ cpu: '2', memory: '1Gi' })];
    expect(podRequests({ containers, initContainers })).toEqual({ cpu: 3000, memory: GIB });
  });

  it('adds sidecars to the containers, and to the init containers after them', () => {
    const sidecar = container({ cpu: '1' }, { restartPolicy: 'Always' });
    const initContainers = [container({ cpu: '4' }), sidecar, container({ cpu: '5' })];
    expect(podRequests({ containers: [container({ cpu: '2' })], initContainers })).toEqual({
      cpu: 6000,
    });
  });

  it('takes a limit for the request where there is no request, and adds the overhead', () => {
    const limited = container({}, { resources: { limits: { cpu: '1' }, requests: {} } });
    expect(podRequests({ containers: [limited], overhead: { cpu: '100m' } })).toEqual({
      cpu: 1100,
    });
  });
});
