/** The command line against local mode: plans beside what runs, explains, and replays it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../cli/run.ts';
import { ApiClient } from '../../local/client.ts';
import { parseNodeGroups } from '../../shared/core/capacity/catalogue/node-groups.ts';
import { type LocalNullplane, startLocal } from '../../local/start.ts';
import type { Pod } from '../../shared/api/kinds/pod.ts';

const folder = mkdtempSync(join(tmpdir(), 'nullplane-against-'));
const kubeconfig = join(folder, 'kubeconfig');
const recording = join(folder, 'passes.jsonl');
let local: LocalNullplane;
let client: ApiClient;
let printed = '';
let told = '';

async function cli(...args: readonly string[]): Promise<number> {
  printed = '';
  told = '';
  return run(args, {
    ...{ env: { KUBECONFIG: kubeconfig }, home: folder, nowMs: Date.now() },
    ...{ nodePath: 'node', mainPath: 'main.ts' },
    credentials: () => Promise.reject(new Error('none are needed')),
    print: (text) => void (printed += text),
    tell: (text) => void (told += text),
  });
}

const requests = { cpu: '3', 'nvidia.com/gpu': '1' };
const limits = { 'nvidia.com/gpu': '1' };
const gpuPod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'app', resources: { requests, limits } }] },
});

beforeAll(async () => {
  local = await startLocal({
    ...{ port: 0, dataPath: join(folder, 'state.db'), kubeconfigPath: kubeconfig },
    ...{ runtime: 'simulated', simulatedDelays: 'none', verbose: false, recordPath: recording },
    nodeGroups: parseNodeGroups('2xg5.xlarge'),
  });
  client = new ApiClient(local);
  await client.apply(JSON.stringify(gpuPod('first')));
  const seen = client.watch('/api/v1/namespaces/default/pods', new AbortController().signal);
  for await (const { object } of seen) {
    if ((object as unknown as Pod).spec.nodeName) break;
  }
});
afterAll(async () => {
  client.close();
  await local.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the command line, against an installation', () => {
  it('plans in the room that is left', async () => {
    const path = join(folder, 'app.yaml');
    const write = (...names: readonly string[]) =>
      writeFileSync(path, names.map((name) => JSON.stringify(gpuPod(name))).join('\n---\n'));
    write('second');
    expect(await cli('plan', '-f', path, '--against', kubeconfig)).toBe(0);
    expect(printed).toMatch(/pod\/second +1 +g5-xlarge-2, there already +0\.0000/);
    write('second', 'third');
    expect(await cli('plan', '-f', path, '--against', kubeconfig)).toBe(1);
    expect(printed).toMatch(/pod\/third: 1 of its pods would wait: 0\/4 nodes are available/);
    expect(await cli('plan', '-f', path)).toBe(1);
    expect(await cli('plan', '-f', path, '--against', kubeconfig, '--context', 'no')).toBe(2);
  });

  it('explains a pod', async () => {
    expect(await cli('explain', 'pod/first')).toBe(0);
    expect(JSON.parse(printed)).toMatchObject({
      outcome: 'placed',
      nodes: 4,
      open: 2,
      refused: { FargateLimits: 2 },
      candidates: [{ node: 'g5-xlarge-1' }, { node: 'g5-xlarge-2' }],
    });
    expect(await cli('explain', 'pod/none')).toBe(1);
    expect(told).toContain('pods "none" not found');
    expect(await cli('explain', 'first')).toBe(2);
  });

  it('shows it in the event of the pod', async () => {
    const events = await client.list('/api/v1/namespaces/default/events');
    const messages = events.map((event) => event['message']);
    expect(messages).toContain(
      'Successfully assigned default/first to g5-xlarge-1: ' +
        'best of 2 of 4 nodes (refused: 2 by FargateLimits)',
    );
  });

  it('replays what was recorded', async () => {
    expect(await cli('replay', recording)).toBe(0);
    expect(printed).toContain('1 placed: the same answer');
    expect(await cli('replay', recording, '--pod', 'first')).toBe(0);
    expect(printed).toMatch(/g5-xlarge-1 +\d+\.\d .*NodeResourcesFit/);
    expect(printed).toMatch(
      /fargate +FargateLimits +node\(s\) on Fargate offer no nvidia.com\/gpu/,
    );
    expect(await cli('replay', recording, '--pod', 'none')).toBe(1);
  });
});
