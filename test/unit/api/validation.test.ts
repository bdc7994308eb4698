import { describe, expect, it } from 'vitest';
import { decode } from '../../../shared/api/decode.ts';
import { withDefaults } from '../../../shared/api/defaults.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { type ResourceType, resourceType } from '../../../shared/api/resources.ts';
import { validateCreate, validateUpdate } from '../../../shared/api/validation/validate.ts';

type Json = { [field: string]: unknown };

const META = { name: 'x', namespace: 'n' };

function stored(type: ResourceType, given: Json): AnyObject {
  const { object } = decode(type.schema, { metadata: META, ...given }, 'Strict');
  return withDefaults(type, object as AnyObject);
}

/** `field: message` of every fault. */
function faults(resource: string, given: Json): string[] {
  const type = resourceType(resource);
  return validateCreate(type, stored(type, given)).map((c) => `${c.field}: ${c.message}`);
}

function updateFaults(resource: string, old: Json, next: Json): string[] {
  const type = resourceType(resource);
  const causes = validateUpdate(type, stored(type, next), stored(type, old));
  return causes.map((c) => `${c.field}: ${c.message}`);
}

const container = (fields: Json = {}) => ({ name: 'a', image: 'b', ...fields });
const pod = (spec: Json = {}, metadata: Json = META) => ({
  metadata,
  spec: { containers: [container()], ...spec },
});
const withContainer = (fields: Json) => pod({ containers: [container(fields)] });
const template = (labels: Json = { app: 'x' }, spec: Json = {}) => ({
  metadata: { labels },
  spec: { containers: [container()], ...spec },
});
const deployment = (spec: Json = {}) => ({
  spec: { selector: { matchLabels: { app: 'x' } }, template: template(), ...spec },
});

const AT = 'spec.containers[0]';

describe('a pod', () => {
  it.each<[string, Json]>([
    [
      'with all that is common',
      pod({
        initContainers: [container({ name: 'init' })],
        volumes: [
          { name: 'v' },
          { name: 'c', configMap: { name: 'c', items: [{ key: 'a', path: 'b/c' }] } },
        ],
        containers: [
          container({
            ports: [{ name: 'http', containerPort: 80 }],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
              { name: 'C', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
            ],
            envFrom: [{ configMapRef: { name: 'c' } }],
            resources: { limits: { cpu: '1', 'nvidia.com/gpu': 1 } },
            volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'a' }],
            readinessProbe: { httpGet: { port: 'http' }, successThreshold: 2 },
            securityContext: { capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] } },
          }),
        ],
        tolerations: [{ operator: 'Exists' }, { key: 'a', value: 'b' }],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] },
              ],
            },
          },
        },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', minDomains: 2 },
        ],
      }),
    ],
  ])('%s is valid', (_, given) => {
    expect(faults('pods', given)).toEqual([]);
  });

  it.each<[string, Json, string[]]>([
    ['no spec', {}, ['spec: Required value']],
    ['no containers', pod({ containers: [] }), ['spec.containers: Required value']],
    [
      'a bad name',
      pod({}, { ...META, name: 'X' }),
      ['metadata.name: Invalid value: "X": a lowercase'],
    ],
    [
      'no name',
      pod({}, { namespace: 'n' }),
      ['metadata.name: Required value: name or generateName is required'],
    ],
    [
      'a bad label',
      pod({}, { ...META, labels: { 'a b': 'c/d' } }),
      [
        'metadata.labels: Invalid value: "a b": name part',
        'metadata.labels: Invalid value: "c/d": a valid label',
      ],
    ],
    [
      'a bad finalizer',
      pod({}, { ...META, finalizers: ['x'] }),
      ['metadata.finalizers[0]: Invalid value: "x": name is neither a standard'],
    ],
    [
      'twice a container',
      pod({ containers: [container(), container()] }),
      ['spec.containers[1].name: Duplicate value: "a"'],
    ],
    [
      'an init container of that name',
      pod({ initContainers: [container()] }),
      ['spec.initContainers[0].name: Duplicate value: "a"'],
    ],
    ['no image', pod({ containers: [{ name: 'a' }] }), [`${AT}.image: Required value`]],
    [
      'a bad port',
      withContainer({ ports: [{ containerPort: 0 }] }),
      [`${AT}.ports[0].containerPort: Invalid value: 0: must be between 1 and 65535, inclusive`],
    ],
    [
      'an unknown protocol',
      withContainer({ ports: [{ containerPort: 1, protocol: 'tcp' }] }),
      [`${AT}.ports[0].protocol: Unsupported value: "tcp": supported values: "TCP", "UDP", "SCTP"`],
    ],
    [
      'a bad variable',
      withContainer({ env: [{ name: 'a=b' }] }),
      [`${AT}.env[0].name: Invalid value: "a=b"`],
    ],
    [
      'a variable with two values',
      withContainer({
        env: [{ name: 'a', value: 'b', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      }),
      [
        `${AT}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`,
      ],
    ],
    [
      'an unknown field path',
      withContainer({ env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] }),
      [`${AT}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "spec.x"`],
    ],
    [
      'requests above limits',
      withContainer({ resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }),
      [
        `${AT}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
      ],
    ],
    [
      'a negative request',
      withContainer({ resources: { requests: { cpu: -1 } } }),
      [`${AT}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`],
    ],
    [
      'half a GPU',
      withContainer({ resources: { limits: { 'nvidia.com/gpu': '500m' } } }),
      [
        `${AT}.resources.limits[nvidia.com/gpu]: Invalid value: "500m": must be an integer`,
        `${AT}.resources.requests[nvidia.com/gpu]`,
      ],
    ],
    [
      'a GPU request without limit',
      withContainer({ resources: { requests: { 'nvidia.com/gpu': 1 } } }),
      [`${AT}.resources.limits: Required value: Limit must be set`],
    ],
    [
      'a mount of nothing',
      withContainer({ volumeMounts: [{ name: 'v', mountPath: '/' }] }),
      [`${AT}.volumeMounts[0].name: Not found: "v"`],
    ],
    [
      'a probe without handler',
      withContainer({ livenessProbe: {} }),
      [`${AT}.livenessProbe: Required value: must specify a handler type`],
    ],
    [
      'a probe with two',
      withContainer({ livenessProbe: { tcpSocket: { port: 1 }, grpc: { port: 1 } } }),
      [`${AT}.livenessProbe.grpc: Forbidden: may not specify more than 1 handler type`],
    ],
    [
      'a hesitant liveness probe',
      withContainer({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }),
      [`${AT}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
    ],
    [
      'a path out of a volume',
      pod({
        volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'a', path: '../b' }] } }],
      }),
      ['spec.volumes[0].secret.items[0].path: Invalid value: "../b": must not contain \'..\''],
    ],
    [
      'two sources of a volume',
      pod({ volumes: [{ name: 'v', emptyDir: {}, configMap: { name: 'c' } }] }),
      ['spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a claim',
      pod({ volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }),
      [
        'spec.volumes[0].persistentVolumeClaim: Forbidden: persistentVolumeClaim volumes are not served yet',
      ],
    ],
    [
      'a bad restart policy',
      pod({ restartPolicy: 'Sometimes' }),
      ['spec.restartPolicy: Unsupported value: "Sometimes"'],
    ],
    [
      'a toleration of all for a value',
      pod({ tolerations: [{ value: 'x' }] }),
      ['spec.tolerations[0].operator: Invalid value: "": operator must be Exists'],
    ],
    [
      'seconds for NoSchedule',
      pod({
        tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 }],
      }),
      ['spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\''],
    ],
    [
      'no spread',
      pod({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule' },
        ],
      }),
      ['spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero'],
    ],
    [
      'a gate on a bound pod',
      pod({ nodeName: 'n', schedulingGates: [{ name: 'a' }] }),
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
  ])('with %s is refused', (_, given, expected) => {
    const found = faults('pods', given);
    expect(found).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(found[index]).toContain(text);
  });

  it.each<[string, Json]>([
    ['the network', pod({ hostNetwork: true })],
    ['the processes', pod({ hostPID: true })],
    ['the IPC', pod({ hostIPC: true })],
    ['a path', pod({ volumes: [{ name: 'v', hostPath: { path: '/' } }] })],
    ['all privileges', withContainer({ securityContext: { privileged: true } })],
    ['a capability', withContainer({ securityContext: { capabilities: { add: ['SYS_ADMIN'] } } })],
    [
      'no confinement',
      withContainer({ securityContext: { seccompProfile: { type: 'Unconfined' } } }),
    ],
    ['all capabilities', withContainer({ securityContext: { capabilities: { add: ['ALL'] } } })],
  ])('that wants %s of the host is refused, with the reason', (_, given) => {
    expect(faults('pods', given)).toEqual([expect.stringMatching(/Forbidden: .*hosts are shared/)]);
  });
});

describe('an update of a pod', () => {
  const old = pod({ activeDeadlineSeconds: 10, schedulingGates: [{ name: 'g' }] });

  it.each<[string, Json, string[]]>([
    ['may change an image', { containers: [container({ image: 'c' })] }, []],
    ['may shorten the deadline', { activeDeadlineSeconds: 5 }, []],
    ['may add tolerations', { tolerations: [{ operator: 'Exists', key: 'a' }] }, []],
    ['may open gates', { schedulingGates: [] }, []],
    ['may narrow a gated pod', { nodeSelector: { a: 'b' } }, []],
    [
      'may not lengthen the deadline',
      { activeDeadlineSeconds: 20 },
      ['spec.activeDeadlineSeconds'],
    ],
    [
      'may not add gates',
      { schedulingGates: [{ name: 'g' }, { name: 'h' }] },
      ['spec.schedulingGates[1]'],
    ],
    ['may not change anything else', { containers: [container({ tty: true })] }, ['spec']],
    ['may not move it', { nodeName: 'n', schedulingGates: [] }, ['spec']],
    [
      'may not add containers',
      { containers: [container(), container({ name: 'c' })] },
      ['spec.containers'],
    ],
  ])('%s', (_, change, fields) => {
    const spec = { ...(old.spec as Json), ...change };
    const found = updateFaults('pods', old, { ...old, spec });
    expect(found.map((text) => text.split(':')[0])).toEqual(fields);
  });
});

describe('metadata', () => {
  const meta = (fields: Json) => ({ metadata: { ...META, ...fields }, data: { a: '1' } });

  it.each<[string, Json, Json, string]>([
    ['a uid', { uid: 'a' }, { uid: 'b' }, 'metadata.uid: Invalid value: "b": field is immutable'],
    ['a name', {}, { name: 'y' }, 'metadata.name: Invalid value: "y": field is immutable'],
    [
      'finalizers of what is being deleted',
      { deletionTimestamp: '2020-01-01T00:00:00Z' },
      { deletionTimestamp: '2020-01-01T00:00:00Z', finalizers: ['a/b'] },
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being ' +
        'deleted, found new finalizers []string{"a/b"}',
    ],
  ])('keeps %s', (_, before, after, message) => {
    expect(updateFaults('configmaps', meta(before), meta(after))).toEqual([message]);
  });

  it('can always lose a finalizer, be the rest valid by now or not', () => {
    const bad = { data: { 'bad key': '1' } };
    const before = { ...bad, metadata: { ...META, finalizers: ['a/b'] } };
    expect(updateFaults('configmaps', before, { ...bad, metadata: META })).toEqual([]);
  });
});

describe('a deployment', () => {
  it.each<[string, Json, string[]]>([
    ['all that is needed', deployment(), []],
    ['no selector', { spec: { template: template() } }, ['spec.selector: Required value']],
    [
      'an empty selector',
      deployment({ selector: {} }),
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'other labels',
      deployment({ template: template({ app: 'y' }) }),
      [
        'spec.template.metadata.labels: Invalid value: {"app":"y"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'negative replicas',
      deployment({ replicas: -1 }),
      ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'pods that end',
      deployment({ template: template({ app: 'x' }, { restartPolicy: 'Never' }) }),
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a deadline in vain',
      deployment({ progressDeadlineSeconds: 1, minReadySeconds: 1 }),
      ['spec.progressDeadlineSeconds: Invalid value: 1: must be greater than minReadySeconds'],
    ],
    [
      'no room to roll',
      deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } }),
      [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
      ],
    ],
    [
      'no percentage',
      deployment({ strategy: { rollingUpdate: { maxSurge: 'x' } } }),
      [
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"x\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ],
    ],
    [
      'more than all',
      deployment({ strategy: { rollingUpdate: { maxUnavailable: '101%' } } }),
      [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
    ],
    [
      'limits of what does not roll',
      deployment({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
      [
        "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
      ],
    ],
  ])('with %s', (_, given, expected) => {
    expect(faults('deployments.apps', given)).toEqual(expected);
  });

  it('keeps its selector', () => {
    const labels = { app: 'x', b: 'c' };
    const old = deployment({ template: template(labels) });
    const next = deployment({ template: template(labels), selector: { matchLabels: { b: 'c' } } });
    expect(updateFaults('deployments.apps', old, next)).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"b":"c"}}: field is immutable',
    ]);
  });
});

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
        "spec.template.spec.requirements[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
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
