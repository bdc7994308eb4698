import { describe, expect, it } from 'vitest';
import { container, faults, type Json, META, pod } from './faults.ts';

const withContainer = (fields: Json) => pod({ containers: [container(fields)] });

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
        `${AT}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is ` +
          `not empty`,
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
        `${AT}.resources.requests: Invalid value: "2": must be less than or equal to cpu ` +
          `limit of 1`,
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
        'spec.volumes[0].persistentVolumeClaim: Forbidden: persistentVolumeClaim volumes are ' +
          'not served yet',
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
