import { describe, expect, it } from 'vitest';
import { decode } from '../../../shared/api/decode.ts';
import { withDefaults } from '../../../shared/api/defaults.ts';
import { parseJson } from '../../../shared/api/json.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import * as names from '../../../shared/api/names.ts';
import { isQuantity } from '../../../shared/api/quantity.ts';
import { resourceType } from '../../../shared/api/resources.ts';
import { parseFieldSelector, parseLabelSelector } from '../../../shared/api/selectors.ts';
import { validateCreate } from '../../../shared/api/validation/validate.ts';
import { applyStrategicMerge } from '../../../shared/control/apiserver/patch/strategic-merge.ts';
import { parseYaml } from '../../../shared/control/apiserver/yaml.ts';

const SIZE = 50_000;

/** Quadratic work on these texts would take seconds; linear work takes a millisecond. */
const BUDGET_MS = 100;

const TEXTS = [
  'a',
  '-',
  'a-',
  '.',
  'a.',
  '1',
  '0.',
  '=',
  '(',
  ',',
  '\\',
  '[',
  '{"a":',
  '- ',
  ' ',
  '"',
]
  .map((piece) => piece.repeat(SIZE / piece.length))
  .flatMap((text) => [text, `${text}!`, `a${text}\n`]);

/** Its parser is linear, but slow; bodies in it are bounded all the more. */
const YAML_BUDGET_MS = 1000;

const readers: [string, (text: string) => unknown, number?][] = [
  ['isQuantity', isQuantity],
  ['dns1123Label', names.dns1123Label],
  ['dns1123Subdomain', names.dns1123Subdomain],
  ['dns1035Label', names.dns1035Label],
  ['qualifiedName', names.qualifiedName],
  ['labelValue', names.labelValue],
  ['configKey', names.configKey],
  ['envVarName', names.envVarName],
  ['portName', names.portName],
  ['parseLabelSelector', parseLabelSelector],
  ['parseFieldSelector', parseFieldSelector],
  ['parseJson', parseJson],
  ['parseYaml', parseYaml, YAML_BUDGET_MS],
  ['a time', (text) => decode(PODS.schema, { metadata: { creationTimestamp: text } }, 'Strict')],
];

const PODS = resourceType('pods');

function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toMatchObject({ name: 'ApiError' });
  }
}

/** CPU time of this thread alone, so that a busy machine makes no difference. */
function elapsedMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

describe('hostile text', () => {
  it.each(readers)('is read or refused quickly by %s', (_, read, budgetMs = BUDGET_MS) => {
    for (const text of TEXTS) {
      const spent = elapsedMs(() => attempt(() => read(text)));
      expect(spent, `${text.slice(0, 8)}…`).toBeLessThan(budgetMs);
    }
  });

  it('in every place of a pod is refused by validation, quickly', () => {
    const long = 'a-'.repeat(SIZE / 2);
    const spec = {
      nodeName: long,
      hostname: long,
      serviceAccountName: long,
      nodeSelector: { [long]: long },
      volumes: [{ name: long, configMap: { name: long, items: [{ key: long, path: long }] } }],
      tolerations: [{ key: long, value: long }],
      containers: [
        {
          ...{ name: long, image: long, workingDir: long },
          env: [{ name: long, valueFrom: { fieldRef: { fieldPath: `metadata.labels['${long}` } } }],
          ports: [{ name: long, containerPort: 1 }],
          livenessProbe: { httpGet: { port: long, path: long } },
        },
      ],
    };
    const metadata = { name: long, labels: { [long]: long }, annotations: { [long]: long } };
    const work = () => {
      const { object } = decode(PODS.schema, { metadata, spec }, 'Strict');
      const pod = withDefaults(PODS, object as AnyObject);
      expect(validateCreate(PODS, pod).length).toBeGreaterThan(10);
    };
    expect(elapsedMs(work)).toBeLessThan(BUDGET_MS);
  });
});

describe('many parts', () => {
  it('merge in linear time', () => {
    const containers = Array.from({ length: 10_000 }, (_, i) => ({ name: `c${i}` }));
    const patch = {
      spec: {
        '$setElementOrder/containers': [...containers].reverse(),
        containers: containers.map(({ name }) => ({ name, image: 'x' })),
      },
    };
    const work = () => applyStrategicMerge(PODS.schema, { spec: { containers } }, patch);
    expect(elapsedMs(work)).toBeLessThan(5 * BUDGET_MS);
  });

  it('of faults are cut short', () => {
    const containers = Array.from({ length: 5000 }, () => ({ name: 'A' }));
    const metadata = { name: 'x', namespace: 'n' };
    const pod = withDefaults(PODS, { metadata, spec: { containers } } as unknown as AnyObject);
    expect(validateCreate(PODS, pod)).toHaveLength(100);
  });
});
