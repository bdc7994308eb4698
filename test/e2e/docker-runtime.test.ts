import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContainerSpec, ProbeSpec, TaskSpec, TaskState } from '../../shared/api/task.ts';
import { NoSuchTask, TaskRejected } from '../../shared/ports/runtime.ts';
import type { ExecOptions } from '../../shared/ports/runtime.ts';
import { containerName, sandboxName } from '../../adapters/docker/names.ts';
import { container, runtimeContract, taskSpec } from '../contract/runtime.contract.ts';
import { findEngine } from './support/docker-engine.ts';
import { dockerHarness } from './support/docker-harness.ts';
import type { DockerHarness } from './support/docker-harness.ts';
import { ensureTestImages, TEST_IMAGES } from './support/test-image.ts';

const { docker, skip } = await findEngine();
if (docker) await ensureTestImages(docker);

const makeHarness = (): Promise<DockerHarness> =>
  dockerHarness(docker as NonNullable<typeof docker>);

runtimeContract({ name: 'Docker', make: makeHarness, ...(skip !== undefined && { skip }) });

const STEP_MS = 50;
const MAX_STEPS = 600;

describe.skipIf(skip !== undefined)('the Docker runtime, beyond the contract', () => {
  let h: DockerHarness;
  beforeEach(async () => {
    h = await makeHarness();
  });
  afterEach(() => h.close());

  const until = async (id: string, isSo: (state: TaskState) => boolean): Promise<TaskState> => {
    let last: TaskState | undefined;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      [last] = await h.runtime.describe([id]);
      if (last && isSo(last)) return last;
      await h.pass(STEP_MS);
    }
    throw new Error(`did not come about; last seen: ${JSON.stringify(last)}`);
  };
  const stopped = (id: string): Promise<TaskState> => until(id, ({ phase }) => phase === 'stopped');
  const run = async (given: Partial<TaskSpec>): Promise<TaskSpec> => {
    const task = taskSpec(given);
    await h.runtime.run(task);
    return task;
  };
  const logs = async (id: string, name = 'app'): Promise<string> => {
    const { signal } = new AbortController();
    const chunks: Uint8Array[] = [];
    const options = { follow: true, timestamps: false, signal };
    for await (const chunk of h.runtime.logs(id, name, options)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  it('shares localhost, host name and host aliases among the containers of a task', async () => {
    const wait = 'until wget -q -O - http://127.0.0.1:8080/; do sleep 0.1; done';
    const ask = `${wait}; hostname; cat /etc/hosts`;
    const task = await run({
      hostname: 'web-0',
      hostAliases: [{ ip: '10.1.2.3', hostnames: ['db.local'] }],
      containers: [serving('web', { essential: false }), shell('app', ask, { essential: true })],
    });
    await stopped(task.id);
    const output = await logs(task.id);
    expect(output).toContain('version 1');
    expect(output).toContain('web-0');
    expect(output).toMatch(/10\.1\.2\.3\s+db\.local/);
  });

  it('hands files to containers with their modes, in memory and read-only', async () => {
    const content = Buffer.from('s3cret').toString('base64');
    const task = await run({
      volumes: [
        { name: 'secret', type: 'files', files: [{ path: 'a/password', content, mode: 0o440 }] },
      ],
      containers: [
        shell(
          'app',
          [
            'cat /s/a/password; stat -c " %a" /s/a/password',
            'touch /s/x || echo refused; df /s; cat /one',
          ].join('\n'),
          {
            mounts: [
              { volume: 'secret', path: '/s', readOnly: false },
              { volume: 'secret', path: '/one', subPath: 'a/password', readOnly: true },
            ],
          },
        ),
      ],
    });
    await stopped(task.id);
    const output = await logs(task.id);
    expect(output).toContain('s3cret 440');
    expect(output).toContain('refused');
    expect(output).toContain('tmpfs');
    expect(output.endsWith('s3cret')).toBe(true);
  });

  it('shares empty volumes from init containers on, writable for any user', async () => {
    const mounts = [
      { volume: 'disk', path: '/disk', readOnly: false },
      { volume: 'memory', path: '/memory', readOnly: false },
    ];
    const task = await run({
      volumes: [
        { name: 'disk', type: 'empty', memory: false, sizeBytes: 0 },
        { name: 'memory', type: 'empty', memory: true, sizeBytes: 1024 * 1024 },
      ],
      initContainers: [
        shell('init', 'echo one > /disk/x; echo two > /memory/x', { mounts, user: '1000' }),
      ],
      containers: [shell('app', 'cat /disk/x /memory/x; id -u', { mounts, user: '2000:2000' })],
    });
    await stopped(task.id);
    expect(await logs(task.id)).toBe('one\ntwo\n2000\n');
  });

  it('says that a container was killed for its memory', async () => {
    const task = await run({
      containers: [
        shell('app', 'tail -c 100000000 /dev/zero', { memoryBytesLimit: 16 * 1024 * 1024 }),
      ],
    });
    const { containers } = await stopped(task.id);
    expect(containers[0]?.state).toMatchObject({ exitCode: 137, signal: 9, reason: 'OOMKilled' });
  });

  it('sets the limits, the security options and the command', async () => {
    const task = await run({
      containers: [
        shell('app', 'true', {
          cpuMillisLimit: 250,
          cpuMillisRequest: 100,
          memoryBytesLimit: 64 * 1024 * 1024,
          capabilitiesDrop: ['ALL'],
          noNewPrivileges: true,
          readOnlyRootFilesystem: true,
          workingDir: '/tmp',
        }),
      ],
    });
    await stopped(task.id);
    const info = await h.docker.getContainer(containerName(task.id, 'app')).inspect();
    expect(info.HostConfig).toMatchObject({
      NanoCpus: 250_000_000,
      CpuShares: 102,
      Memory: 64 * 1024 * 1024,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
    });
    expect(info.Config.WorkingDir).toBe('/tmp');
  });

  it('says why a command could not be run', async () => {
    const task = await run({ containers: [shell('app', '', { command: ['/nope'], args: [] })] });
    const { containers } = await stopped(task.id);
    expect(containers[0]?.state).toMatchObject({
      type: 'terminated',
      reason: 'ContainerCannotRun',
    });
  });

  it('refuses to run as root what must not', async () => {
    const task = await run({ containers: [shell('app', 'true', { runAsNonRoot: true })] });
    const { containers } = await stopped(task.id);
    expect(containers[0]?.state).toEqual({
      type: 'waiting',
      reason: 'CreateContainerConfigError',
      message: 'container has runAsNonRoot and image will run as root',
    });
  });

  it('refuses what it can never do', async () => {
    const task = taskSpec({ containers: [shell('app', 'true', { gpus: 1 })] });
    await expect(h.runtime.run(task)).rejects.toThrow(TaskRejected);
    expect(await h.leftovers()).toEqual({ containers: [], volumes: [] });
  });

  it.each([
    ['http', { type: 'http', scheme: 'HTTP', port: 8080, path: '/', headers: [] }],
    ['tcp', { type: 'tcp', port: 8080 }],
    ['exec', { type: 'exec', command: ['wget', '-q', '-O', '-', 'http://127.0.0.1:8080/'] }],
  ] as const)('probes by %s', async (_name, action) => {
    const probes = { startup: probe(action), liveness: probe(action), readiness: probe(action) };
    const task = await run({ containers: [serving('app', { probes })] });
    const ready = await until(task.id, (state) => state.containers[0]?.ready === true);
    expect(ready.containers[0]).toMatchObject({ started: true, state: { type: 'running' } });
  });

  it('is not ready while the probe fails, without being ended', async () => {
    const readiness = probe({ type: 'http', scheme: 'HTTP', port: 8080, path: '/no', headers: [] });
    const task = await run({ containers: [serving('app', { probes: { readiness } })] });
    await until(task.id, ({ phase }) => phase === 'running');
    await h.pass(1_500);
    const [state] = await h.runtime.describe([task.id]);
    expect(state?.containers[0]).toMatchObject({ ready: false, state: { type: 'running' } });
  });

  it('ends a container whose liveness probe fails, and says so', async () => {
    const liveness = probe({ type: 'exec', command: ['sh', '-c', 'echo broken; exit 3'] });
    const task = await run({ containers: [serving('app', { probes: { liveness } })] });
    const { containers } = await stopped(task.id);
    expect(containers[0]?.state).toMatchObject({ reason: 'LivenessProbeFailed' });
    expect(JSON.stringify(containers[0]?.state)).toContain('broken');
  });

  it('is as ready after a restart as before, and says nothing else in between', async () => {
    const readiness = probe({ type: 'tcp', port: 8080 });
    const task = await run({ containers: [serving('app', { probes: { readiness } })] });
    await until(task.id, (state) => state.containers[0]?.ready === true);
    const before = h.messages.length;
    const again = await h.restart();
    const [state] = await again.describe([task.id]);
    expect(state?.containers[0]?.ready).toBe(true);
    const since = h.messages.slice(before).flatMap((m) => (m.type === 'task' ? [m.task] : []));
    expect(since.every((told) => told.containers[0]?.ready)).toBe(true);
  });

  it('sees a container that was killed or removed from outside, and runs none again', async () => {
    const killed = await run({ containers: [serving('app')] });
    const removed = await run({ containers: [serving('app')] });
    for (const { id } of [killed, removed]) await until(id, ({ phase }) => phase === 'running');
    await h.docker.getContainer(containerName(killed.id, 'app')).kill();
    await h.docker.getContainer(containerName(removed.id, 'app')).remove({ force: true });
    for (const { id } of [killed, removed]) {
      const state = await stopped(id);
      expect(state.containers[0]?.state).toMatchObject({ type: 'terminated', exitCode: 137 });
    }
    expect(await h.runtime.list()).toEqual([]);
  });

  it('ends a task whose sandbox was killed', async () => {
    const task = await run({ containers: [serving('app')] });
    await until(task.id, ({ phase }) => phase === 'running');
    await h.docker.getContainer(sandboxName(task.id)).kill();
    expect(await stopped(task.id)).toMatchObject({ reason: 'SandboxLost' });
  });

  it('finishes what a dead process began, from what it left on the engine', async () => {
    const init = shell('init', 'sleep 1');
    const env = [{ name: 'TOKEN', value: 'hidden' }];
    const task = await run({
      initContainers: [init],
      containers: [shell('app', 'echo $TOKEN; sleep 100', { env })],
    });
    // While images, containers or the init container are on their way.
    const again = await h.restart();
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const [state] = await again.describe([task.id]);
      if (state?.phase === 'running') break;
      await h.pass(STEP_MS);
    }
    expect(await again.list()).toEqual([task.id]);
    const info = await h.docker.getContainer(containerName(task.id, 'app')).inspect();
    expect(JSON.stringify(info.Config.Labels)).not.toContain('hidden');
  });

  it('leaves no container of a stopped task, yet knows its end, also after a restart', async () => {
    const volumes = [{ name: 'v', type: 'empty', memory: false, sizeBytes: 0 } as const];
    const mounts = [{ volume: 'v', path: '/v', readOnly: false }];
    const task = await run({ volumes, containers: [serving('app', { mounts })] });
    await until(task.id, ({ phase }) => phase === 'running');
    await h.runtime.stop(task.id, 10);
    const ended = await stopped(task.id);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if ((await h.leftovers()).containers.length === 0) break;
      await h.pass(STEP_MS);
    }
    expect((await h.leftovers()).containers).toEqual([]);
    const again = await h.restart();
    expect(await again.run(task)).toEqual(ended);
    const { containers, volumes: left } = await h.leftovers();
    expect([containers, left]).toEqual([[], [`np-${task.id}.ended`]]);
  });

  it('forgets the ended tasks of a pod that is gone', async () => {
    const task = await run({ containers: [shell('app', 'exit 1')] });
    await stopped(task.id);
    expect((await h.leftovers()).containers).not.toEqual([]);
    h.runtime.forgetPod(task.podUid);
    for (let step = 0; step < MAX_STEPS; step += 1) {
      if ((await h.leftovers()).containers.length === 0) break;
      await h.pass(STEP_MS);
    }
    expect((await h.leftovers()).containers).toEqual([]);
    expect((await h.runtime.describe([task.id])).map(({ phase }) => phase)).toEqual(['stopped']);
  });

  it('follows both streams of logs to their end, and cuts them where it is told', async () => {
    const task = await run({
      containers: [shell('app', 'echo out; echo err >&2; sleep 1; echo late')],
    });
    await until(task.id, ({ phase }) => phase !== 'pending');
    const output = await logs(task.id);
    expect(output.split('\n').sort()).toEqual(['', 'err', 'late', 'out']);
    const { signal } = new AbortController();
    const options = { follow: false, timestamps: false, limitBytes: 3, signal };
    let cut = '';
    for await (const chunk of h.runtime.logs(task.id, 'app', options))
      cut += Buffer.from(chunk).toString();
    expect(cut).toHaveLength(3);
  });

  it('runs commands: streams apart, input, exit codes, terminals', async () => {
    const task = await run({ containers: [serving('app')] });
    await until(task.id, ({ phase }) => phase === 'running');
    const exec = async (given: Partial<ExecOptions>, input?: string) => {
      const { signal } = new AbortController();
      const options = { command: [], tty: false, stdin: input !== undefined, signal, ...given };
      const session = await h.runtime.exec(task.id, 'app', options);
      if (input !== undefined) {
        await session.write(Buffer.from(input));
        await session.closeStdin();
      }
      if (given.tty) await session.resize(91, 43);
      const said = { stdout: '', stderr: '' };
      for await (const { stream, data } of session.output)
        said[stream] += Buffer.from(data).toString();
      return { ...said, exitCode: await session.exitCode };
    };
    const both = ['sh', '-c', 'echo out; echo err >&2; exit 7'];
    expect(await exec({ command: both })).toEqual({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 7,
    });
    expect(await exec({ command: ['cat'] }, 'hello')).toMatchObject({
      stdout: 'hello',
      exitCode: 0,
    });
    const size = ['sh', '-c', 'sleep 0.5; stty size'];
    expect((await exec({ command: size, tty: true })).stdout).toContain('43 91');
    expect((await exec({ command: ['/nope'] })).exitCode).not.toBe(0);
    await expect(h.runtime.exec('nobody-1', 'app', execOptions())).rejects.toThrow(NoSuchTask);
  });

  it('does not run commands in what has ended', async () => {
    const task = await run({ containers: [shell('app', 'exit 0')] });
    await stopped(task.id);
    await expect(h.runtime.exec(task.id, 'app', execOptions())).rejects.toThrow(TaskRejected);
  });
});

function execOptions(): ExecOptions {
  const { signal } = new AbortController();
  return { command: ['true'], tty: false, stdin: false, signal };
}

function shell(name: string, script: string, given: Partial<ContainerSpec> = {}): ContainerSpec {
  return container(name, {
    image: TEST_IMAGES[0],
    command: ['sh', '-c'],
    args: [script],
    ...given,
  });
}

/** The image's own command: an HTTP server. */
function serving(name: string, given: Partial<ContainerSpec> = {}): ContainerSpec {
  return container(name, { image: TEST_IMAGES[0], ...given });
}

function probe(action: ProbeSpec['action']): ProbeSpec {
  return {
    action,
    initialDelayMs: 0,
    periodMs: 200,
    timeoutMs: 2_000,
    successThreshold: 1,
    failureThreshold: 5,
  };
}
