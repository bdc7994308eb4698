/** A recorded pass, decided again. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { passRecorder } from '../../../local/pass-recorder.ts';
import { recordedPass, replayed } from '../../../shared/core/scheduling/recording.ts';
import { schedule } from '../../../shared/core/scheduling/schedule.ts';
import { node, NOW_MS, pod, snapshot } from './fixtures.ts';
import { namespaces, preemptingPods, someNodes, somePods } from './generators.ts';

const asRead = <T>(value: T) => JSON.parse(JSON.stringify(value)) as T;

describe('a recorded pass', () => {
  it('gives the same answer, through JSON, whatever is in the cluster', () => {
    fc.assert(
      fc.property(someNodes, fc.oneof(somePods, preemptingPods), (nodes, pods) => {
        const given = snapshot({ nodes, pods, namespaces, budgets: [], claims: [], pools: [] });
        const result = schedule(given, NOW_MS, { batchSize: 10 });
        const recorded = asRead(recordedPass(given, NOW_MS, result));
        expect(replayed(recorded, []).isSame).toBe(true);
      }),
    );
  });

  it('tells when the answer is another', () => {
    const given = snapshot({ nodes: [node('a')], pods: [pod('p')] });
    const recorded = recordedPass(given, NOW_MS, schedule(given, NOW_MS));
    const other = { ...recorded, snapshot: { ...given, nodes: [node('b')] } };
    expect(replayed(other, []).isSame).toBe(false);
  });

  it('tells everything of the pod that is asked about', () => {
    const nodes = [node('a'), node('b', { allocatable: { cpu: '1' } })];
    const given = snapshot({ nodes, pods: [pod('o'), pod('p', { requests: { cpu: '2' } })] });
    const recorded = recordedPass(given, NOW_MS, schedule(given, NOW_MS));
    const { inspection } = replayed(recorded, [], 'default/p');
    expect(inspection?.nodes).toMatchObject([
      { node: 'a', scores: { parts: { NodeResourcesFit: 25 } } },
      { node: 'b', filter: 'NodeResourcesFit', reasons: ['Insufficient cpu'] },
    ]);
  });

  it('holds nothing that people gave containers', () => {
    const [container] = pod('p').spec.containers;
    const told = { ...container, env: [{ name: 'KEY', value: 'hidden' }], args: ['hidden'] };
    const applied = { 'kubectl.kubernetes.io/last-applied-configuration': 'hidden' };
    const secretive = pod('p', {
      spec: { containers: [told as NonNullable<typeof container>] },
      meta: { annotations: applied },
    });
    const given = snapshot({ nodes: [node('a')], pods: [secretive] });
    const recorded = recordedPass(given, NOW_MS, schedule(given, NOW_MS));
    expect(JSON.stringify(recorded)).not.toContain('hidden');
  });
});

describe('the file of passes', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nullplane-passes-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('has a line a pass, names types once, and is bounded', () => {
    const path = join(folder, 'in', 'passes.jsonl');
    const given = snapshot({ nodes: [node('a')], pods: [pod('p')] });
    const pass = recordedPass(given, NOW_MS, schedule(given, NOW_MS));
    const line = JSON.stringify(pass).length;
    const record = passRecorder(path, { log: () => {} }, 3 * line);
    const types = [] as const;
    for (let i = 0; i < 5; i++) record(pass, types);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((text) => Object.keys(JSON.parse(text) as object)[0])).toEqual([
      ...['types', 'format', 'format'],
    ]);
    expect(statSync(`${path}.old`).size).toBeLessThan(5 * line);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});
