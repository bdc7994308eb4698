/** exec: the channels of its protocol. */
import { beforeEach, describe, expect, it } from 'vitest';
import { settle } from '../../../adapters/memory/step-clock.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { type ExecOptions, NoSuchTask } from '../../../shared/ports/runtime.ts';
import { failure, pod, PODS, TestApi } from './api.ts';

let api: TestApi;
let asked: (ExecOptions & { task: string; container: string })[];
let inputs: string[];
let exitCode: number;
let failureOfExec: Error | undefined;

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function* output() {
  yield { stream: 'stdout' as const, data: encode('out') };
  yield { stream: 'stderr' as const, data: encode('err') };
}

async function exec(task: string, container: string, options: ExecOptions) {
  if (failureOfExec) throw failureOfExec;
  asked.push({ task, container, ...options });
  return {
    output: output(),
    write: async (data: Uint8Array) => void inputs.push(decode(data)),
    closeStdin: async () => void inputs.push('<end>'),
    resize: async (columns: number, rows: number) => void inputs.push(`${columns}x${rows}`),
    exitCode: Promise.resolve(exitCode),
  };
}

async function* nothing() {}

beforeEach(async () => {
  asked = [];
  inputs = [];
  exitCode = 0;
  failureOfExec = undefined;
  api = await TestApi.withSystemObjects({ runtime: { exec, logs: nothing } });
  await api.post(PODS, pod('p', { nodeName: 'n1' }));
  await setState({ running: {} });
});

async function setState(state: object) {
  const key = { resource: 'pods', namespace: 'default', name: 'p' };
  const stored = (await api.store.get(key)) as AnyObject;
  const containerStatuses = [{ name: 'app', state }];
  const status = { ...(stored['status'] as object), containerStatuses };
  await api.store.update('pods', { ...stored, status });
}

const HEADERS = { upgrade: 'websocket', 'sec-websocket-protocol': 'v5.channel.k8s.io' };
const open = (query = 'command=ls&command=-l&stdout=true&stdin=true', headers: object = HEADERS) =>
  api.raw('GET', `${PODS}/p/exec?${query}`, { headers: headers as Record<string, string> });

/** Talks to the command: sends these messages, and gives what came back as [channel, text]. */
async function talk(...messages: Uint8Array[]): Promise<[number | undefined, string][]> {
  const { status, upgrade } = await open();
  expect([status, upgrade?.protocol]).toEqual([101, 'v5.channel.k8s.io']);
  const got: [number | undefined, string][] = [];
  async function* given() {
    yield* messages;
  }
  const send = async (bytes: Uint8Array) => {
    got.push([bytes[0], decode(bytes.subarray(1))]);
  };
  await upgrade?.run({ messages: given(), send });
  await settle();
  return got;
}

describe('what is not served of pods', () => {
  it.each([
    ['attach', 'kubectl logs -f'],
    ['portforward', 'kubectl port-forward is not served'],
  ])('%s is refused in words that help', async (subresource, words) => {
    const answer = await api.call('POST', `${PODS}/p/${subresource}`);
    expect(failure(answer)).toMatchObject({ code: 405, message: expect.stringContaining(words) });
  });
});

describe('exec', () => {
  it('runs a command and tells its output and its end', async () => {
    const got = await talk();
    expect(got.slice(0, 2)).toEqual([
      [1, 'out'],
      [2, 'err'],
    ]);
    expect(got[2]?.[0]).toBe(3);
    expect(JSON.parse(got[2]?.[1] ?? '')).toEqual({ metadata: {}, status: 'Success' });
    expect(asked).toMatchObject([
      { container: 'app', command: ['ls', '-l'], tty: false, stdin: true },
    ]);
    expect(api.recorder.audits.at(-1)).toMatchObject({
      verb: 'create',
      resource: 'pods/exec',
      name: 'p',
      code: 101,
    });
  });

  it('tells how the command failed', async () => {
    exitCode = 3;
    const status = JSON.parse((await talk()).at(-1)?.[1] ?? '');
    expect(status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '3' }] },
    });
  });

  it('passes on input, its end and the size of the terminal', async () => {
    const size = encode(' {"Width":80,"Height":24}').with(0, 4);
    await talk(encode(' hello').with(0, 0), size, new Uint8Array([255, 0]));
    expect(inputs).toEqual(['hello', '80x24', '<end>', '<end>']);
  });

  it.each([
    ['stdout=1', HEADERS, 'you must specify at least 1 command'],
    ['command=ls', {}, 'Upgrade request required'],
    ['command=ls', { upgrade: 'SPDY/3.1' }, 'kubectl 1.30 or later'],
    ['command=ls', { ...HEADERS, 'sec-websocket-protocol': 'x' }, 'none of the subprotocols'],
    ['command=ls&container=x', HEADERS, 'container x is not valid'],
  ])('refuses %s with %j', async (query, headers, words) => {
    const answer = await api.call('GET', `${PODS}/p/exec?${query}`, { headers });
    expect(failure(answer)).toMatchObject({ code: 400, message: expect.stringContaining(words) });
  });

  it('says over the open socket why nothing runs, since kubectl shows only that', async () => {
    failureOfExec = new NoSuchTask('gone');
    const [channel, text] = (await talk())[0] ?? [];
    expect(channel).toBe(3);
    expect(JSON.parse(text ?? '')).toMatchObject({
      status: 'Failure',
      message: 'the container is not running any more',
    });
  });

  it('needs a container that runs, and says so to clients of SPDY as well', async () => {
    await setState({ waiting: { reason: 'CrashLoopBackOff' } });
    expect((await open()).status).toBe(400);
    const answer = await api.call('POST', `${PODS}/p/exec?command=ls`);
    expect(failure(answer).message).toBe('container app of pod p is not running');
  });
});
