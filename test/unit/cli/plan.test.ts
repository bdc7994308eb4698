/** What plans print, whole: manifests in, tables out. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../cli/run.ts';

const NOW_MS = Date.parse('2026-03-04T05:06:07Z');
const EXAMPLES = join(import.meta.dirname, '../../../examples');

let home: string;
let printed: string;
let told: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nullplane-plan-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function cli(...args: readonly string[]): Promise<number> {
  printed = '';
  told = '';
  return run(args, {
    ...{ env: {}, home, nowMs: NOW_MS, nodePath: 'node', mainPath: 'main.ts' },
    credentials: () => Promise.reject(new Error('none are needed')),
    print: (text) => void (printed += text),
    tell: (text) => void (told += text),
  });
}

function file(name: string, ...documents: readonly object[]): string {
  const path = join(home, name);
  writeFileSync(path, documents.map((one) => JSON.stringify(one)).join('\n---\n'));
  return path;
}

/** Lines of a source file are shorter than what is told of a pod. */
const folded = (text: string) => text.replaceAll(/(.{70}\S*) /g, '$1\n    ');
/** The table alone: what follows are sources. */
const shown = () => folded(printed.split('\nPrices:')[0] ?? '');

type Requests = { readonly [resource: string]: string };

function deployment(name: string, replicas: number, requests: Requests, spec: object = {}) {
  const containers = [
    { name: 'main', image: 'app', resources: { requests, limits: limits(requests) } },
  ];
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers, ...spec } },
    },
  };
}

/** Extended resources are asked for as limits. */
const limits = (requests: Requests) =>
  Object.fromEntries(Object.entries(requests).filter(([resource]) => resource.includes('/')));

const nodePool = (spec: object, requirements: readonly object[]) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'pool' },
  spec: { template: { spec: { requirements } }, ...spec },
});

const families = (...values: readonly string[]) => ({
  key: 'karpenter.k8s.aws/instance-family',
  operator: 'In',
  values,
});

describe('a plan', () => {
  it('puts the shop on Fargate, and says what it costs and where prices are from', async () => {
    expect(await cli('plan', '-f', join(EXAMPLES, 'shop'))).toBe(0);
    expect(told).toBe('');
    expect(printed).toMatchInlineSnapshot(`
      "WORKLOAD            PODS   WHERE                                 $/HOUR   $/MONTH
      deployment/web         3   Fargate, 0.25 vCPU and 0.5 GiB each   0.0370     27.02
      deployment/worker      2   Fargate, 0.25 vCPU and 0.5 GiB each   0.0247     18.02
      TOTAL                                                            0.0617     45.04

      Prices: Linux, us-east-1, before taxes, 730 hours a month.
      EC2 of 2026-02-09 (AWS Price List, as Karpenter's zz_generated.pricing_aws.go has it).
      Fargate of 2026-04 (aws.amazon.com/fargate/pricing, as quoted by others).
      Load balancers, storage, traffic and logs are not in it.
      "
    `);
  });

  it('tells of pods that fit nowhere, and ends with 1', async () => {
    expect(await cli('plan', '-f', join(EXAMPLES, 'gpu/trainer.yaml'))).toBe(1);
    expect(shown()).toMatchInlineSnapshot(`
      "WORKLOAD             PODS   WHERE     $/HOUR   $/MONTH
      deployment/trainer      1   nowhere        -         -
      TOTAL                                 0.0000      0.00

      deployment/trainer: 1 of its pods would wait: 0/2 nodes are available:
          2 node(s) on Fargate offer no nvidia.com/gpu. preemption: 0/2 nodes are
          available: 2 Preemption is not helpful for scheduling.
      "
    `);
  });

  it('uses machines that are there', async () => {
    const gpu = join(EXAMPLES, 'gpu');
    expect(await cli('plan', '-f', gpu, '--nodes', '1xg5.xlarge')).toBe(0);
    expect(shown()).toMatchInlineSnapshot(`
      "WORKLOAD             PODS   WHERE                        $/HOUR   $/MONTH
      deployment/trainer      1   g5-xlarge-1, there already   0.0000      0.00
      TOTAL                                                    0.0000      0.00
      "
    `);
  });

  it('launches machines of given pools, and shares their price among pods', async () => {
    const path = file(
      'app.json',
      nodePool({}, [families('g5', 'm7i')]),
      deployment('train', 2, { cpu: '3', 'nvidia.com/gpu': '1' }),
      deployment('web', 4, { cpu: '6', memory: '24Gi' }),
    );
    expect(await cli('plan', '-f', path)).toBe(0);
    expect(shown()).toMatchInlineSnapshot(`
      "WORKLOAD           PODS   WHERE                              $/HOUR   $/MONTH
      deployment/train      2   g5.4xlarge in us-east-1a, shared   1.8118   1322.58
      deployment/web        4   g5.4xlarge in us-east-1a, shared   1.4362   1048.46
      TOTAL                                                        3.2480   2371.04

      TO LAUNCH    COUNT   AS                                 $/HOUR   $/MONTH
      g5.4xlarge       2   on-demand, us-east-1a, pool pool   3.2480   2371.04
      "
    `);
  });

  it('keeps to the limits of a pool, and says so', async () => {
    const path = file(
      'app.json',
      nodePool({ limits: { cpu: '8' } }, [families('g5')]),
      deployment('train', 3, { 'nvidia.com/gpu': '1' }),
    );
    expect(await cli('plan', '-f', path)).toBe(1);
    expect(shown()).toMatchInlineSnapshot(`
      "WORKLOAD           PODS   WHERE                             $/HOUR   $/MONTH
      deployment/train      2   g5.xlarge in us-east-1a, shared   2.0120   1468.76
                            1   nowhere                                -    
              -
      TOTAL                                                       2.0120   1468.76

      TO LAUNCH   COUNT   AS                                 $/HOUR   $/MONTH
      g5.xlarge       2   on-demand, us-east-1a, pool pool   2.0120   1468.76

      deployment/train: 1 of its pods would wait: 0/4 nodes are available: 2
          Insufficient nvidia.com/gpu, 2 node(s) on Fargate offer no nvidia.com/gpu.
          preemption: 0/4 nodes are available: 2 No preemption victims found for
          incoming pod, 2 Preemption is not helpful for scheduling. nodepool pool:
          all that it may launch is out of its limits, or was not to be had lately.
      "
    `);
  });

  it('places gangs whole or not at all, and higher priorities first', async () => {
    const group = {
      apiVersion: 'scheduling.x-k8s.io/v1alpha1',
      kind: 'PodGroup',
      metadata: { name: 'ring' },
      spec: { minMember: 3 },
    };
    const high = {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 1000,
    };
    const ring = deployment('ring', 3, { 'nvidia.com/gpu': '1' });
    const { template } = ring.spec;
    const labels = { ...template.metadata.labels, 'scheduling.x-k8s.io/pod-group': 'ring' };
    const gang = {
      ...ring,
      spec: { ...ring.spec, template: { ...template, metadata: { labels } } },
    };
    const urgent = deployment('one', 1, { 'nvidia.com/gpu': '1' }, { priorityClassName: 'high' });
    const path = file('app.json', group, high, gang, urgent);
    expect(await cli('plan', '-f', path, '--nodes', '3xg5.xlarge')).toBe(1);
    expect(shown()).toMatchInlineSnapshot(`
      "WORKLOAD          PODS   WHERE                        $/HOUR   $/MONTH
      deployment/ring      3   nowhere                           -         -
      deployment/one       1   g5-xlarge-1, there already   0.0000      0.00
      TOTAL                                                 0.0000      0.00

      deployment/ring: 3 of its pods would wait: its gang default/ring needs
          3 places at once, found 2.
      "
    `);
    expect(await cli('plan', '-f', path, '--nodes', '4xg5.xlarge')).toBe(0);
  });

  it('is the same each time, and is had as JSON', async () => {
    const path = file('app.json', deployment('web', 2, { cpu: '1' }));
    expect(await cli('plan', '-f', path, '-o', 'json', '--default-pool')).toBe(0);
    const first = printed;
    await cli('plan', '-f', path, '-o', 'json', '--default-pool');
    expect(printed).toBe(first);
    const plan = JSON.parse(printed) as { lines: object[]; placements: object[] };
    expect(plan.placements).toHaveLength(2);
    expect(plan).toMatchObject({
      lines: [{ workload: 'deployment/web', isEstimate: true }],
      isIncomplete: false,
      prices: { ec2: { date: '2026-02-09' } },
    });
  });
});

describe('what is wrong with manifests', () => {
  it('is told in Kubernetes’ words, with the file and the document', async () => {
    const web = deployment('web', 1, { cpu: '1' });
    const path = file(
      'bad.yaml',
      deployment('fine', 1, { cpu: '1' }),
      { ...web, spec: { ...web.spec, replicaz: 2 } },
      deployment('web', -1, { cpu: '1' }),
      { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' } },
      { metadata: { name: 'x' } },
    );
    expect(await cli('plan', '-f', path)).toBe(1);
    expect(printed).toBe('');
    expect(folded(told.replaceAll(home, ''))).toMatchInlineSnapshot(`
      "error in /bad.yaml, document 2: Deployment in version "v1" cannot be handled
          as a Deployment: strict decoding error: unknown field "spec.replicaz"
      error in /bad.yaml, document 3: Deployment.apps "web" is invalid: spec.replicas:
          Invalid value: -1: must be greater than or equal to 0
      error in /bad.yaml, document 4: no matches for kind "Thing" in version
          "example.com/v1"
      error in /bad.yaml, document 5: Object 'Kind' is missing
      "
    `);
  });

  it('is told of classes that are not there', async () => {
    const path = file('app.json', deployment('web', 1, { cpu: '1' }, { priorityClassName: 'no' }));
    expect(await cli('plan', '-f', path)).toBe(1);
    expect(told).toContain('no PriorityClass with name no was found');
  });

  it('is misuse where files are missing or options are odd', async () => {
    expect(await cli('plan')).toBe(2);
    expect(await cli('plan', '-f', join(home, 'none.yaml'))).toBe(2);
    mkdirSync(join(home, 'empty'));
    expect(await cli('plan', '-f', join(home, 'empty'), '-o', 'xml')).toBe(2);
    expect(await cli('plan', '-f', join(home, 'empty'), '--nodes', '2xfoo.bar')).toBe(2);
    expect(told).toContain('no type of EC2');
  });

  it('is said of what is not counted', async () => {
    const web = file('w.json', deployment('web', 1, { cpu: '1' }));
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } };
    const spec = { selector: { app: 'web' }, ports: [{ port: 80 }] };
    expect(await cli('plan', '-f', web, '-f', file('s.json', { ...service, spec }))).toBe(0);
    expect(printed).not.toContain('is not planned');
  });
});
