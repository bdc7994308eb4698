/** Bodies: what is packed is unpacked, for ever, and usual objects fit in a write unit. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeBody,
  decodePast,
  encodeBody,
  encodePast,
} from '../../../adapters/aws/dynamo/codec.ts';
import { DICTIONARIES } from '../../../adapters/aws/dynamo/dictionary.ts';
import { itemBytes, packed } from '../../../adapters/aws/dynamo/item.ts';
import { placeOf } from '../../../adapters/aws/dynamo/keys.ts';
import { keyOf } from '../../../shared/api/change.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { draft } from '../../contract/store-samples.ts';

/** A pod as kubectl and controllers leave it: probes, environment, managed fields, status. */
function fullPod(version: number): AnyObject {
  const at = '2026-11-02T10:31:07Z';
  const env = ['DB_HOST', 'DB_PORT', 'CACHE_URL', 'LOG_LEVEL', 'REGION', 'QUEUE'].map((name) => {
    return { name, value: `${name.toLowerCase()}.prod.internal.example.com` };
  });
  const probe = (path: string) => ({
    httpGet: { path, port: 8080, scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  const image = '417820311234.dkr.ecr.eu-central-1.amazonaws.com/checkout/api:2026-11-02.4';
  const container = {
    ...{ name: 'api', image, env, ports: [{ containerPort: 8080, protocol: 'TCP' }] },
    ...{ livenessProbe: probe('/live'), readinessProbe: probe('/ready') },
    resources: { requests: { cpu: '500m', memory: '1Gi' }, limits: { memory: '1Gi' } },
    ...{ imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log' },
  };
  const fields = Object.fromEntries(env.map(({ name }) => [`k:{"name":"${name}"}`, MANAGED]));
  const managed = { 'f:spec': { 'f:containers': { 'k:{"name":"api"}': { 'f:env': fields } } } };
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: at });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name: 'checkout-api-7b9c5d4f86-x2kqp', namespace: 'checkout', creationTimestamp: at },
      ...{ uid: '5f0c1f0e-6a52-4a0b-9a53-3c1b6f2f7d11', resourceVersion: String(version) },
      labels: { app: 'checkout-api', team: 'payments', 'pod-template-hash': '7b9c5d4f86' },
      managedFields: ['nullplane', 'kubectl'].map((manager) => {
        return {
          manager,
          operation: 'Update',
          time: at,
          fieldsType: 'FieldsV1',
          fieldsV1: managed,
        };
      }),
      ownerReferences: [
        {
          ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'checkout-api-7b9c5d4f86' },
          ...{ uid: 'c2f9e0f4-2c34-4a55-8f0c-6f0e2f1a9b77', controller: true },
        },
      ],
    },
    spec: { containers: [container, { ...container, name: 'proxy' }], nodeName: 'ip-10-0-4-17' },
    status: {
      ...{ phase: 'Running', startTime: at, podIP: '10.0.4.31', podIPs: [{ ip: '10.0.4.31' }] },
      conditions: ['PodScheduled', 'Initialized', 'Ready', 'ContainersReady'].map(condition),
      containerStatuses: ['api', 'proxy'].map((name) => ({
        ...{ name, image, ready: true, started: true, restartCount: 0 },
        state: { running: { startedAt: at } },
      })),
    },
  };
}

const MANAGED = { '.': {}, 'f:name': {}, 'f:value': {} };

describe('bodies', () => {
  it('are as they were, whatever is in them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.json(), (text, json) => {
        for (const one of [text.toWellFormed(), json])
          expect(decodeBody(encodeBody(one))).toBe(one);
      }),
    );
  });

  it('are unpacked with dictionaries that never change', () => {
    const digests = [...DICTIONARIES].map(([number, bytes]) => {
      return [number, createHash('sha256').update(bytes).digest('hex').slice(0, 16)];
    });
    expect(digests).toEqual([[1, 'f0877e3fc8ed8972']]);
  });

  it('keep states before and deletions in between', () => {
    const states = [
      { version: 3, object: draft('a', { step: 2 }) },
      { version: 2, object: undefined },
      { version: 1, object: draft('a', { step: 1 }) },
    ];
    const json = JSON.stringify(draft('a', { step: 3 }));
    expect(decodePast(encodePast(states, json) as Uint8Array, json)).toEqual(states);
  });

  it('of a full pod fit in a write unit, with the state before', () => {
    const object = fullPod(3_700_000_000_002_048);
    const json = JSON.stringify(object);
    expect(json.length).toBeGreaterThan(4_000);
    const key = keyOf('pods', object);
    const past = [{ version: 3_700_000_000_000_000, object: fullPod(3_700_000_000_000_000) }];
    const { item } = packed({
      ...{ key, place: placeOf(key), sealed: { object, json }, version: 3_700_000_000_002_048 },
      ...{ born: 1, isDeleted: false, past },
    });
    expect(item['past']).toBeDefined();
    expect(itemBytes(item)).toBeLessThanOrEqual(1024);
  });
});
