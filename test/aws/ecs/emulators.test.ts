/**
 * The shapes of our requests and of others' answers: on MiniStack and moto, which were written
 * without us. Neither has ECS's semantics (aws-semantics.md 4), so that only shapes, pages and
 * lookups are asked of them.
 */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateClusterCommand, ECSClient } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EcsRuntime } from '../../../adapters/aws/ecs/ecs-runtime.ts';
import { MemoryRecorder } from '../../../adapters/memory/memory-recorder.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import type { TaskSpec } from '../../../shared/api/task.ts';
import { NoSuchTask } from '../../../shared/ports/runtime.ts';
import { container, taskSpec } from '../../contract/runtime.contract.ts';
import { SETTINGS } from '../../unit/ecs/tasks.ts';
import { type Emulator, type EmulatorName, startEmulator } from '../support/emulators.ts';

/** More than a page of ListTasks. */
const MANY = 105;

/** Printed, so that nobody takes a skip for a pass. */
const RUNS_NOTHING: { readonly [name: string]: string } = {
  moto: 'moto ignores capacity providers, and looks for instances',
};

for (const name of ['ministack', 'moto'] as const) {
  describe(`ECS of ${name}`, () => {
    let emulator: Emulator;
    let make: () => EcsRuntime;
    beforeAll(async () => {
      emulator = await startEmulator(name);
      make = () => runtimeOn(emulator, name);
      await clientOn(emulator, name).send(new CreateClusterCommand({ clusterName: 'nullplane' }));
    });
    afterAll(() => emulator?.stop());

    const why = RUNS_NOTHING[name];
    const running = why === undefined ? it : it.skip;
    const skipped = why === undefined ? '' : ` (skipped: ${why})`;

    running(`registers, runs, describes, lists and stops${skipped}`, async () => {
      const runtime = make();
      const spec = specOf();
      const { id, podUid, podName, nodeName } = spec;
      expect(await runtime.run(spec)).toMatchObject({ id, podUid, podName, nodeName });
      expect(await make().list()).toContain(id);
      const [state] = await make().describe([id]);
      expect(state?.containers.map((one) => one.name)).toEqual(['app']);
      await make().stop(id, 30);
      expect((await make().describe([id]))[0]?.phase).toBe('stopped');
      expect(await make().list()).not.toContain(id);
    });

    running(`finds many tasks page by page${skipped}`, async () => {
      const runtime = make();
      const specs = Array.from({ length: MANY }, specOf);
      const ids = specs.map(({ id }) => id).sort();
      for (const spec of specs) await runtime.run(spec);
      expect((await make().list()).filter((id) => ids.includes(id)).sort()).toEqual(ids);
      const states = await make().describe(ids);
      expect(states.map(({ id }) => id).sort()).toEqual(ids);
    });

    it('knows nothing of other tasks', async () => {
      const { signal } = new AbortController();
      const options = { follow: false, timestamps: false, signal };
      const unknown = '0f8fad5b-d9cb-469f-a165-70867728950e-1';
      expect(await make().describe([unknown])).toEqual([]);
      await make().stop(unknown, 30);
      await expect(make().logs(unknown, 'app', options).next()).rejects.toThrow(NoSuchTask);
    });
  });
}

function specOf(): TaskSpec {
  const probe = { initialDelayMs: 0, periodMs: 10_000, timeoutMs: 1_000 };
  const thresholds = { successThreshold: 1, failureThreshold: 3 };
  const action = { type: 'exec', command: ['true'] } as const;
  const app = container('app', {
    image: 'public.ecr.aws/docker/library/busybox:1.36',
    command: ['sleep', '60'],
    probes: { liveness: { action, ...probe, ...thresholds } },
    mounts: [{ volume: 'v', path: '/v', readOnly: true }],
    env: [{ name: 'NAME', value: 'web-1' }],
  });
  const content = Buffer.from('x').toString('base64');
  const files = [{ path: 'a', content, mode: 0o644 }];
  const volumes = [{ name: 'v', type: 'files', files }] as const;
  return taskSpec({ nodeName: 'fargate', containers: [app], volumes });
}

function clientOn({ endpoint, region }: Emulator, name: EmulatorName): ECSClient {
  const credentials = { accessKeyId: name, secretAccessKey: 'test' };
  return new ECSClient({ endpoint, region, credentials });
}

function runtimeOn(emulator: Emulator, name: EmulatorName): EcsRuntime {
  const { endpoint, region } = emulator;
  const credentials = { accessKeyId: name, secretAccessKey: 'test' };
  return new EcsRuntime({
    ecs: clientOn(emulator, name),
    logs: new CloudWatchLogsClient({ endpoint, region, credentials }),
    clock: new SystemClock(),
    recorder: new MemoryRecorder(),
    settings: SETTINGS,
  });
}
