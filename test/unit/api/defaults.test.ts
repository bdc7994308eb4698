import { describe, expect, it } from 'vitest';
import { pullPolicyOf, withDefaults } from '../../../shared/api/defaults.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { resourceType } from '../../../shared/api/resources.ts';

type Json = { [field: string]: unknown };

const defaulted = (resource: string, object: Json) =>
  withDefaults(resourceType(resource), object as unknown as AnyObject);

const pod = (spec: Json = {}) => ({ spec: { containers: [{ name: 'a', image: 'b' }], ...spec } });
const deployment = (spec: Json = {}) => ({
  spec: { selector: {}, template: { spec: { containers: [{ name: 'a', image: 'b' }] } }, ...spec },
});

describe('defaults', () => {
  it('of a pod are those that kubectl get -o yaml shows', () => {
    const lost = (key: string) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    });
    expect(defaulted('pods', pod())).toEqual({
      spec: {
        containers: [
          {
            name: 'a',
            image: 'b',
            imagePullPolicy: 'Always',
            resources: {},
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        dnsPolicy: 'ClusterFirst',
        enableServiceLinks: true,
        restartPolicy: 'Always',
        schedulerName: 'default-scheduler',
        securityContext: {},
        serviceAccount: 'default',
        serviceAccountName: 'default',
        terminationGracePeriodSeconds: 30,
        tolerations: [lost('not-ready'), lost('unreachable')],
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
  });

  it('of a template leave out what admission adds to pods', () => {
    const template = (defaulted('deployments.apps', deployment())['spec'] as Json)['template'];
    const spec = (template as { spec: Json }).spec;
    expect(spec).toMatchObject({ restartPolicy: 'Always', schedulerName: 'default-scheduler' });
    expect(spec).not.toHaveProperty('tolerations');
    expect(spec).not.toHaveProperty('serviceAccountName');
  });

  it.each<[string, Json, Json]>([
    [
      'none',
      {},
      { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    ],
    [
      'half',
      { strategy: { rollingUpdate: { maxSurge: 0 } } },
      { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '25%' } },
    ],
    ['Recreate', { strategy: { type: 'Recreate' } }, { type: 'Recreate' }],
  ])('complete a strategy: %s', (_, spec, strategy) => {
    expect(defaulted('deployments.apps', deployment(spec))['spec']).toMatchObject({
      ...{ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 },
      strategy,
    });
    expect(defaulted('deployments.apps', deployment(spec))['spec']).toHaveProperty(
      'strategy',
      strategy,
    );
  });

  it('take requests from limits, an account from its old name, probes from nothing', () => {
    const given = pod({
      serviceAccount: 'x',
      volumes: [{ name: 'v' }, { name: 'w', configMap: { name: 'c' } }],
      containers: [
        {
          name: 'a',
          image: 'b:1',
          resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } },
          livenessProbe: { periodSeconds: 0, httpGet: { port: 80 } },
        },
      ],
    });
    expect(defaulted('pods', given)['spec']).toMatchObject({
      serviceAccountName: 'x',
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 'w', configMap: { name: 'c', defaultMode: 0o644 } },
      ],
      containers: [
        {
          imagePullPolicy: 'IfNotPresent',
          resources: { requests: { cpu: '500m', memory: '1Gi' } },
          livenessProbe: {
            httpGet: { path: '/', port: 80, scheme: 'HTTP' },
            ...{ periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3, successThreshold: 1 },
          },
        },
      ],
    });
  });

  it('leave tolerations of lost nodes as they were chosen', () => {
    const all = [{ operator: 'Exists' }];
    expect(defaulted('pods', pod({ tolerations: all }))['spec']).toHaveProperty('tolerations', all);
  });

  it('aim service ports, encode secrets, label namespaces', () => {
    expect(defaulted('services', { spec: { ports: [{ port: 80 }] } })['spec']).toMatchObject({
      ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
      type: 'ClusterIP',
    });
    expect(defaulted('secrets', { data: { b: 'Yg==' }, stringData: { a: 'hé' } })).toEqual({
      type: 'Opaque',
      data: { a: 'aMOp', b: 'Yg==' },
    });
    expect(defaulted('namespaces', { metadata: { name: 'n' } })).toHaveProperty(
      ['metadata', 'labels', 'kubernetes.io/metadata.name'],
      'n',
    );
  });

  it.each(['pods', 'deployments.apps'])('change nothing the second time: %s', (resource) => {
    const once = defaulted(resource, resource === 'pods' ? pod() : deployment());
    expect(defaulted(resource, once as unknown as Json)).toEqual(once);
  });

  it('never change what they are given', () => {
    const given = deployment();
    const before = structuredClone(given);
    defaulted('deployments.apps', given);
    expect(given).toEqual(before);
  });
});

describe('pull policies', () => {
  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['host:5000/nginx', 'Always'],
    ['host:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:0', 'IfNotPresent'],
    ['nginx:latest@sha256:0', 'Always'],
  ])('of %s: %s', (image, policy) => {
    expect(pullPolicyOf(image)).toBe(policy);
  });
});
