import { describe, expect, it } from 'vitest';
import { container, faults, type Json, updateFaults } from './faults.ts';

const template = (labels: Json = { app: 'x' }, spec: Json = {}) => ({
  metadata: { labels },
  spec: { containers: [container()], ...spec },
});
const deployment = (spec: Json = {}) => ({
  spec: { selector: { matchLabels: { app: 'x' } }, template: template(), ...spec },
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
        'spec.template.metadata.labels: Invalid value: {"app":"y"}: `selector` does not ' +
          'match template `labels`',
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
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when ' +
          '`maxSurge` is 0',
      ],
    ],
    [
      'no percentage',
      deployment({ strategy: { rollingUpdate: { maxSurge: 'x' } } }),
      [
        'spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string ' +
          "must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex " +
          "used for validation is '[0-9]+%')",
      ],
    ],
    [
      'more than all',
      deployment({ strategy: { rollingUpdate: { maxUnavailable: '101%' } } }),
      [
        'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be ' +
          'greater than 100%',
      ],
    ],
    [
      'limits of what does not roll',
      deployment({ strategy: { type: 'Recreate', rollingUpdate: {} } }),
      [
        'spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` ' +
          "is 'Recreate'",
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
