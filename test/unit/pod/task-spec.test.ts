import { describe, expect, it } from 'vitest';
import type { Container } from '../../../shared/api/kinds/container.ts';
import type { ConfigMap, Secret } from '../../../shared/api/kinds/core.ts';
import type { PodSpec } from '../../../shared/api/kinds/pod.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { PodConfig, toBase64 } from '../../../shared/control/pod-config.ts';
import { taskSpecOf } from '../../../shared/control/task-spec.ts';
import { wantOf } from '../../../shared/core/pod/references.ts';
import { container, makePod } from './pod-life.ts';

const settings: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: draftMeta({ name: 'settings', namespace: 'default' }),
  data: { COLOR: 'grün', 'not a name': 'x', 'app.conf': 'a=1' },
  binaryData: { blob: 'AAECAw==' },
};
const secret: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: draftMeta({ name: 'token', namespace: 'default' }),
  type: 'Opaque',
  data: { key: toBase64('s3cret') },
};
const config = new PodConfig(
  new Map<string, ConfigMap | Secret>([
    ['configmaps/settings', settings],
    ['secrets/token', secret],
  ]),
);

function specOf(given: Partial<Container>, pod: Partial<PodSpec> = {}) {
  return taskSpecOf(makePod({ containers: [container('app', given)], ...pod }), config);
}

function envOf(given: Partial<Container>): { [name: string]: string } {
  const { env } = specOf(given).containers[0] ?? { env: [] };
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

describe('the environment of a container', () => {
  it('expands earlier variables, and leaves unknown and escaped ones', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)2 $(NOBODY) $$(A) $ $$' },
    ];
    expect(envOf({ env }).B).toBe('12 $(NOBODY) $(A) $ $');
    const { command } = specOf({ env, command: ['echo', '$(A)'] }).containers[0] ?? {};
    expect(command).toEqual(['echo', '1']);
  });

  it('takes whole objects, under a prefix, without what is no name of a variable', () => {
    const envFrom = [
      { configMapRef: { name: 'settings' }, prefix: 'CM_' },
      { secretRef: { name: 'token' } },
    ];
    expect(envOf({ envFrom })).toEqual({
      CM_COLOR: 'grün',
      'CM_app.conf': 'a=1',
      CM_blob: '\u0000\u0001\u0002\u0003',
      key: 's3cret',
    });
  });

  it('takes keys, and leaves optional ones out that are not there', () => {
    const env = [
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'token', key: 'key' } } },
      {
        name: 'NONE',
        valueFrom: { configMapKeyRef: { name: 'nobody', key: 'x', optional: true } },
      },
    ];
    expect(envOf({ env })).toEqual({ KEY: 's3cret' });
  });

  it.each([
    ['metadata.name', 'web-1'],
    ['metadata.namespace', 'default'],
    ["metadata.labels['none']", ''],
    ['spec.nodeName', 'node-1'],
    ['status.podIP', ''],
  ])('knows the field %s', (fieldPath, value) => {
    const env = [{ name: 'F', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } }];
    expect(envOf({ env })).toEqual({ F: value });
  });

  it.each([
    ['limits.cpu', undefined, '2'],
    ['requests.cpu', '1m', '1500'],
    ['limits.memory', '1Mi', '512'],
    ['requests.memory', undefined, '536870912'],
  ])('knows the resource %s in units of %s', (resource, divisor, value) => {
    const resourceFieldRef = { resource, ...(divisor ? { divisor } : {}) };
    const env = [{ name: 'R', valueFrom: { resourceFieldRef } }];
    const resources = { limits: { cpu: '1500m', memory: '512Mi' } };
    expect(envOf({ env, resources })).toEqual({ R: value });
  });
});

describe('the task of a pod', () => {
  it('has files out of ConfigMaps and Secrets, and empty directories', () => {
    const volumes = [
      {
        name: 'conf',
        configMap: {
          name: 'settings',
          defaultMode: 0o644,
          items: [{ key: 'app.conf', path: 'etc/app.conf', mode: 0o400 }],
        },
      },
      { name: 'token', secret: { secretName: 'token', defaultMode: 0o600 } },
      { name: 'tmp', emptyDir: { medium: 'Memory' as const, sizeLimit: '1Mi' } },
    ];
    expect(specOf({}, { volumes }).volumes).toEqual([
      {
        name: 'conf',
        type: 'files',
        files: [{ path: 'etc/app.conf', content: toBase64('a=1'), mode: 0o400 }],
      },
      {
        name: 'token',
        type: 'files',
        files: [{ path: 'key', content: toBase64('s3cret'), mode: 0o600 }],
      },
      { name: 'tmp', type: 'empty', memory: true, sizeBytes: 1024 ** 2 },
    ]);
  });

  it('has probes on ports by number', () => {
    const timing = {
      timeoutSeconds: 1,
      periodSeconds: 5,
      successThreshold: 1,
      failureThreshold: 3,
    };
    const ports = [{ name: 'http', containerPort: 8080, protocol: 'TCP' as const }];
    const httpGet = { path: '/ready', port: 'http', scheme: 'HTTP' as const };
    const { probes } =
      specOf({ ports, readinessProbe: { httpGet, ...timing } }).containers[0] ?? {};
    expect(probes?.readiness).toEqual({
      action: { type: 'http', scheme: 'HTTP', port: 8080, path: '/ready', headers: [] },
      ...{ initialDelayMs: 0, periodMs: 5000, timeoutMs: 1000 },
      ...{ successThreshold: 1, failureThreshold: 3 },
    });
  });

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    ['localhost:5000/nginx', 'Always'],
    ['nginx@sha256:0123', 'IfNotPresent'],
  ])('pulls %s %s', (image, policy) => {
    expect(specOf({ image }).containers[0]?.imagePullPolicy).toBe(policy);
  });

  it('runs sidecars beside the containers, and ends with the one that is none', () => {
    const initContainers = [container('setup'), container('proxy', { restartPolicy: 'Always' })];
    const task = specOf({}, { initContainers, restartPolicy: 'Never' });
    expect(task.initContainers.map(({ name }) => name)).toEqual(['setup']);
    expect(task.containers.map(({ name, essential }) => [name, essential])).toEqual([
      ['proxy', false],
      ['app', true],
    ]);
  });

  it('has an id that fits an ECS client token', () => {
    const pod = { ...makePod(), control: { attempt: 1_000_000 } };
    expect(taskSpecOf(pod, config).id.length).toBeLessThanOrEqual(64);
  });
});

describe('what a pod lacks', () => {
  const lack = (spec: Partial<PodSpec>) => wantOf(makePod(spec), config.keysOf);
  const withEnv = (env: Container['env']) => ({
    containers: [container('app', { env: env ?? [] })],
  });

  it.each([
    [{ secretKeyRef: { name: 'none', key: 'k' } }, 'secret "none" not found'],
    [{ configMapKeyRef: { name: 'none', key: 'k' } }, 'configmap "none" not found'],
    [
      { configMapKeyRef: { name: 'settings', key: 'k' } },
      "couldn't find key k in ConfigMap default/settings",
    ],
    [{ secretKeyRef: { name: 'token', key: 'k' } }, "couldn't find key k in Secret default/token"],
  ])('is said as users know it: %j', (valueFrom, message) => {
    expect(lack(withEnv([{ name: 'X', valueFrom }]))?.containers).toEqual({ app: message });
  });

  it('is nothing when it is optional or there', () => {
    const optional = { secretKeyRef: { name: 'none', key: 'k', optional: true } };
    const present = { secretKeyRef: { name: 'token', key: 'key' } };
    const env = [optional, present].map((valueFrom, i) => ({ name: `X${i}`, valueFrom }));
    expect(lack(withEnv(env))).toBeUndefined();
  });

  it('keeps all containers waiting when it is a volume', () => {
    const volumes = [{ name: 'v', secret: { secretName: 'none', defaultMode: 0o644 } }];
    expect(lack({ volumes })).toEqual({
      waitsFor: ['secrets/none'],
      containers: {},
      volume: 'MountVolume.SetUp failed for volume "v" : secret "none" not found',
    });
  });
});
