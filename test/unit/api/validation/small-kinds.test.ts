import { describe, expect, it } from 'vitest';
import { faults, type Json, META, updateFaults } from './faults.ts';

describe('the small kinds', () => {
  const cluster = { name: 'x' };

  it.each<[string, string, Json, string[]]>([
    ['a service', 'services', { spec: { ports: [{ port: 80 }], selector: { a: 'b' } } }, []],
    ['a headless service', 'services', { spec: { clusterIP: 'None' } }, []],
    ['a service without ports', 'services', { spec: {} }, ['spec.ports: Required value']],
    [
      'a service with unnamed ports',
      'services',
      { spec: { ports: [{ port: 1 }, { port: 2, name: 'b' }] } },
      ['spec.ports[0].name: Required value'],
    ],
    [
      'a service with twice a port',
      'services',
      {
        spec: {
          ports: [
            { port: 1, name: 'a' },
            { port: 1, name: 'b' },
          ],
        },
      },
      ['spec.ports[1]: Duplicate value: "1/TCP"'],
    ],
    [
      'a service name',
      'services',
      { metadata: { ...META, name: '0' }, spec: { clusterIP: 'None' } },
      [expect.stringMatching(/DNS-1035/)],
    ],
    [
      'a key',
      'configmaps',
      { data: { 'a/b': '' } },
      [expect.stringMatching(/^data\[a\/b\]: Invalid value: "a\/b"/)],
    ],
    [
      'too much data',
      'configmaps',
      { data: { a: 'é'.repeat(600_000) } },
      [': Too long: may not be more than 1048576 bytes'],
    ],
    [
      'a TLS secret',
      'secrets',
      { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } },
      ['data[tls.key]: Required value'],
    ],
    [
      'a node',
      'nodes',
      { metadata: cluster, spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
      [],
    ],
    [
      'a node with twice a taint',
      'nodes',
      {
        metadata: cluster,
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', effect: 'NoSchedule' },
          ],
        },
      },
      ['spec.taints[1]: Duplicate value: "a:NoSchedule"'],
    ],
    [
      'a pool',
      'nodepools.karpenter.sh',
      {
        metadata: cluster,
        spec: { weight: 101, template: { spec: { requirements: [{ key: 'a', operator: 'In' }] } } },
      },
      [
        'spec.template.spec.requirements[0].values: Required value: must be specified when ' +
          "`operator` is 'In' or 'NotIn'",
        'spec.weight: Invalid value: 101: must be between 1 and 100, inclusive',
      ],
    ],
    [
      'a namespace',
      'namespaces',
      { metadata: { name: 'a.b' } },
      [expect.stringMatching(/RFC 1123 label/)],
    ],
    [
      'an event of elsewhere',
      'events',
      { involvedObject: { namespace: 'm' } },
      ['involvedObject.namespace: Invalid value: "m": does not match event.namespace'],
    ],
  ])('%s', (_, resource, given, expected) => {
    expect(faults(resource, given)).toEqual(expected);
  });

  it('stay as they were when they are sealed', () => {
    const sealed = { immutable: true, data: { a: '1' } };
    const next = { data: { a: '2' } };
    const detail = 'Forbidden: field is immutable when `immutable` is set';
    expect(updateFaults('configmaps', sealed, next)).toEqual([
      `immutable: ${detail}`,
      `data: ${detail}`,
    ]);
  });

  it('keep an address and a type', () => {
    const service = (clusterIP: string) => ({ spec: { clusterIP, ports: [{ port: 1 }] } });
    expect(updateFaults('services', service('10.0.0.1'), service('10.0.0.2'))).toEqual([
      'spec.clusterIPs[0]: Invalid value: "10.0.0.2": may not change once set',
    ]);
    expect(updateFaults('secrets', {}, { type: 'a' })).toEqual([
      'type: Invalid value: "a": field is immutable',
    ]);
  });
});
