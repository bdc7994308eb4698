/**
 * A process is one invocation of a handler: it may die at any call, and then its promise never
 * resolves, as a Lambda that is killed runs no `catch` and no `finally`. All that it does to the
 * outside goes through a `Network`.
 */
import type { InstancePool } from '../../shared/ports/instances.ts';
import type { Queue } from '../../shared/ports/queue.ts';
import type { TaskRuntime } from '../../shared/ports/runtime.ts';
import type { Store } from '../../shared/ports/store.ts';

export interface Process {
  readonly name: string;
  alive: boolean;
}

/** What the process is an invocation of. */
export function handlerOf({ name }: Process): string {
  return name.split('#')[0] ?? '';
}

export type Service = 'store' | 'runtime' | 'queue' | 'instances';

export interface Call {
  readonly from: Process;
  readonly service: Service;
  readonly operation: string;
  /** What it is about, for logs. */
  readonly about: string;
  /** Whether it changes anything. */
  readonly effectful: boolean;
}

/** How a call reaches its service, and its answer the caller: at once, late, twice, or never. */
export interface Network {
  call<T>(call: Call, effect: () => Promise<T>): Promise<T>;
}

/** Nothing is lost and nothing takes time. */
export const CALM: Network = { call: (_call, effect) => effect() };

type Through = <T>(
  operation: string,
  about: string,
  effectful: boolean,
  effect: () => Promise<T>,
) => Promise<T>;

function through(network: Network, from: Process, service: Service): Through {
  return (operation, about, effectful, effect) =>
    network.call({ from, service, operation, about, effectful }, effect);
}

export function storeThrough(network: Network, from: Process, store: Store): Store {
  const call = through(network, from, 'store');
  const of = (resource: string, object: { metadata: { namespace?: string; name: string } }) =>
    `${resource}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
  return {
    get: (key) =>
      call('get', `${key.resource}/${key.namespace}/${key.name}`, false, () => store.get(key)),
    list: (query) => call('list', query.resource, false, () => store.list(query)),
    create: (resource, object) =>
      call('create', of(resource, object), true, () => store.create(resource, object)),
    update: (resource, object) =>
      call('update', of(resource, object), true, () => store.update(resource, object)),
    remove: (key, expected) =>
      call('remove', `${key.resource}/${key.namespace}/${key.name}`, true, () =>
        store.remove(key, expected),
      ),
    changes: (query) => call('changes', query.resource, false, () => store.changes(query)),
    waitForChange: (query, signal) => store.waitForChange(query, signal),
  };
}

export function runtimeThrough(network: Network, from: Process, runtime: TaskRuntime): TaskRuntime {
  const call = through(network, from, 'runtime');
  return {
    run: (task) => call('run', task.id, true, () => runtime.run(task)),
    stop: (taskId, grace, handle) =>
      call('stop', taskId, true, () => runtime.stop(taskId, grace, handle)),
    describe: (ids) => call('describe', ids.join(' '), false, () => runtime.describe(ids)),
    list: () => call('list', '', false, () => runtime.list()),
    logs: (...args) => runtime.logs(...args),
    exec: (...args) => runtime.exec(...args),
  };
}

export function instancesThrough(
  network: Network,
  from: Process,
  instances: InstancePool,
): InstancePool {
  const call = through(network, from, 'instances');
  return {
    launch: (request) => call('launch', request.claimUid, true, () => instances.launch(request)),
    terminate: (ids) => call('terminate', ids.join(' '), true, () => instances.terminate(ids)),
    describe: (ids) => call('describe', ids.join(' '), false, () => instances.describe(ids)),
    list: () => call('list', '', false, () => instances.list()),
    zones: () => call('zones', '', false, () => instances.zones()),
  };
}

export function queueThrough(network: Network, from: Process, queue: Queue): Queue {
  const call = through(network, from, 'queue');
  const bodies = (messages: readonly { readonly body: string }[]) =>
    messages.map(({ body }) => body).join(' ');
  return {
    send: (messages) => call('send', bodies(messages), true, () => queue.send(messages)),
    receive: (max, waitMs) => queue.receive(max, waitMs),
    ack: (delivery) => call('ack', delivery.body, true, () => queue.ack(delivery)),
    release: (delivery, delayMs) =>
      call('release', delivery.body, true, () => queue.release(delivery, delayMs)),
    deadLetters: (max) => queue.deadLetters(max),
  };
}
