import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, type FieldValidation } from '../../../shared/api/decode.ts';
import { ConfigMapSchema, SecretSchema } from '../../../shared/api/kinds/core.ts';
import { DeploymentSchema } from '../../../shared/api/kinds/workloads.ts';

type Json = { [field: string]: unknown };

const container = (fields: Json = {}) => ({ name: 'a', image: 'b', ...fields });
const deployment = (spec: Json = {}, ...containers: Json[]) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  spec: { template: { spec: { containers } }, ...spec },
});

const decoded = (value: unknown, mode: FieldValidation = 'Strict', duplicates: string[] = []) =>
  decode(DeploymentSchema, value, mode, duplicates);

const PREFIX = 'Deployment in version "v1" cannot be handled as a Deployment: ';
const GO = `${PREFIX}json: cannot unmarshal`;

describe('decoding', () => {
  it('keeps what the schema knows, drops nulls and writes quantities canonically', () => {
    const given = deployment(
      { replicas: null, strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } } },
      container({ resources: { requests: { cpu: 0.5, memory: '1024Mi' } }, args: null }),
    );
    expect(decoded(given).object).toEqual(
      deployment(
        { strategy: { rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } } },
        container({ resources: { requests: { cpu: '500m', memory: '1Gi' } } }),
      ),
    );
  });

  it.each<[string, unknown, string]>([
    [
      'a text for a number',
      deployment({ replicas: '1' }),
      `${GO} string into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'a fraction',
      deployment({ replicas: 1.5 }),
      `${GO} number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
    ],
    [
      'an object for a list',
      deployment({ template: { spec: { containers: {} } } }),
      `${GO} object into Go struct field PodSpec.spec.template.spec.containers of type ` +
        '[]v1.Container',
    ],
    [
      'a list for an object',
      deployment({ selector: [] }),
      `${GO} array into Go struct field DeploymentSpec.spec.selector of type v1.LabelSelector`,
    ],
    [
      'a number for a text',
      deployment({}, container({ image: 1 })),
      `${GO} number into Go struct field Container.spec.template.spec.containers.image of ` +
        'type string',
    ],
    [
      'a bool for a label',
      { metadata: { labels: { a: true } } },
      `${GO} bool into Go struct field ObjectMeta.metadata.labels.a of type string`,
    ],
    [
      'a bad quantity',
      deployment({}, container({ resources: { limits: { cpu: 'x' } } })),
      `${PREFIX}quantities must match the regular expression`,
    ],
    [
      'a bad time',
      { metadata: { creationTimestamp: 'yesterday' } },
      `${PREFIX}parsing time "yesterday"`,
    ],
    ['no object', [], `${PREFIX}the body is not an object`],
  ])('refuses %s in the words of Kubernetes', (_, value, message) => {
    expect(() => decoded(value, 'Ignore')).toThrow(message);
  });

  const unknown = deployment({ foo: 1 }, container({ imagee: 'x', constructor: 1 }));
  const faults = [
    'unknown field "spec.template.spec.containers[0].imagee"',
    'unknown field "spec.template.spec.containers[0].constructor"',
    'unknown field "spec.foo"',
    'duplicate field "spec.replicas"',
  ];

  it('refuses unknown and duplicate fields when strict', () => {
    expect(() => decoded(unknown, 'Strict', ['spec.replicas'])).toThrow(
      `${PREFIX}strict decoding error: ${faults.join(', ')}`,
    );
  });

  it('warns of them or ignores them, and drops them', () => {
    expect(decoded(unknown, 'Warn', ['spec.replicas'])).toEqual({
      object: deployment({}, container()),
      warnings: faults,
    });
    expect(decoded(unknown, 'Ignore').warnings).toEqual([]);
  });

  it('warns of what has no effect here', () => {
    const { warnings } = decoded(deployment({}, container({ lifecycle: {} })));
    expect(warnings).toEqual([
      'spec.template.spec.containers[0].lifecycle: lifecycle hooks do not run yet',
    ]);
  });

  it('takes null in a map or list for the empty value, as Go does', () => {
    const data = { data: { a: null } };
    expect(decode(ConfigMapSchema, data, 'Strict').object).toEqual({ data: { a: '' } });
  });

  it.each(['YQ==', '', 'YWJj'])('takes %j for base64', (text) => {
    expect(decode(SecretSchema, { data: { a: text } }, 'Strict').object).toEqual({
      data: { a: text },
    });
  });

  it.each(['YQ', 'Y Q=', '=', 'é===', 'YQ=a'])('refuses %j as base64', (text) => {
    expect(() => decode(SecretSchema, { data: { a: text } }, 'Strict')).toThrow('illegal base64');
  });

  it('changes nothing when it is done again', () => {
    const once = decoded(
      deployment({ replicas: 1 }, container({ resources: { limits: { cpu: '1000m' } } })),
    ).object;
    expect(decoded(once).object).toEqual(once);
  });

  it('answers anything with an object or an ApiError', () => {
    const mangled = fc
      .tuple(fc.jsonValue(), fc.constantFrom('metadata', 'spec', 'template', 'containers'))
      .map(([value, where]) => {
        if (where === 'template') return deployment({ template: value });
        if (where === 'containers')
          return deployment({ template: { spec: { containers: value } } });
        return { ...deployment(), [where]: value };
      });
    fc.assert(
      fc.property(mangled, (value) => {
        try {
          decoded(value, 'Warn');
        } catch (error) {
          expect(error).toMatchObject({ name: 'ApiError', status: { code: 400 } });
        }
      }),
    );
  });
});
