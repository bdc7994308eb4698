import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../../shared/api/kinds/pod.ts';
import { qosClassOf } from '../../../shared/api/qos.ts';

describe('the quality of service', () => {
  it.each<[object, string]>([
    [{}, 'BestEffort'],
    [{ requests: { cpu: '0' }, limits: { memory: '0' } }, 'BestEffort'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
    [
      { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } },
      'Guaranteed',
    ],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ limits: { 'nvidia.com/gpu': '1' } }, 'BestEffort'],
  ])('of %j: %s', (resources, expected) => {
    const spec = { containers: [{ name: 'a', resources }] } as unknown as PodSpec;
    expect(qosClassOf(spec)).toBe(expected);
  });

  it('counts every container, init containers too', () => {
    const limits = { cpu: '1', memory: '1Gi' };
    const full = { name: 'a', resources: { limits } };
    const bare = { name: 'b', resources: {} };
    const of = (containers: object[], initContainers: object[]) =>
      qosClassOf({ containers, initContainers } as unknown as PodSpec);
    expect(of([full], [full])).toBe('Guaranteed');
    expect(of([full, bare], [])).toBe('Burstable');
    expect(of([full], [bare])).toBe('Burstable');
  });
});
