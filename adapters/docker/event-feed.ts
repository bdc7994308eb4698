/**
 * The engine's events, as ids of tasks that changed: hints to look, not facts, but for one that the
 * engine may forget: out of memory. When the stream breaks, whoever listens is told to look at
 * everything once it is back.
 */
import type { Readable } from 'node:stream';
import type { Clock } from '../../shared/ports/clock.ts';
import { engineCall } from './engine.ts';
import type { Engine } from './engine.ts';
import { LABEL } from './names.ts';

const MIN_RECONNECT_MS = 500;
const MAX_RECONNECT_MS = 10_000;
/** Not those of exec: every exec probe would be three. */
const EVENTS = ['start', 'die', 'oom', 'destroy'];

export interface EventListener {
  readonly changed: (taskId: string) => void;
  /** A process of the container was killed for its memory. */
  readonly ranOutOfMemory: (taskId: string, container: string) => void;
  /** The stream is open: what came before it was missed. */
  readonly opened: () => Promise<void>;
}

/**
 * Resolves when the first stream is open and was handled; goes on in the background until `signal`
 * aborts.
 */
export async function followEvents(
  engine: Engine,
  instance: string,
  clock: Clock,
  listener: EventListener,
  signal: AbortSignal,
): Promise<void> {
  const first = await openEvents(engine, instance);
  await listener.opened();
  void keepFollowing(engine, instance, clock, listener, signal, first);
}

async function keepFollowing(
  engine: Engine,
  instance: string,
  clock: Clock,
  listener: EventListener,
  signal: AbortSignal,
  first: Readable,
): Promise<void> {
  let stream: Readable | undefined = first;
  let waitMs = MIN_RECONNECT_MS;
  while (!signal.aborted) {
    if (stream) await readEvents(stream, listener, signal);
    if (signal.aborted) return;
    await clock.delay(waitMs, signal);
    try {
      stream = await openEvents(engine, instance);
      await listener.opened();
      waitMs = MIN_RECONNECT_MS;
    } catch {
      stream?.destroy();
      stream = undefined;
      waitMs = Math.min(waitMs * 2, MAX_RECONNECT_MS);
    }
  }
  stream?.destroy();
}

async function openEvents(engine: Engine, instance: string): Promise<Readable> {
  const filters = {
    type: ['container'],
    event: EVENTS,
    label: [`${LABEL.instance}=${instance}`],
  };
  const stream = await engineCall('events', () =>
    engine.docker.getEvents({ filters: JSON.stringify(filters) }),
  );
  return stream as Readable;
}

async function readEvents(
  stream: Readable,
  listener: EventListener,
  signal: AbortSignal,
): Promise<void> {
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop);
  try {
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) tell(line, listener);
    }
  } catch {
    // The engine went away: the caller opens another stream, and looks at everything.
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function tell(line: string, listener: EventListener): void {
  if (line.trim() === '') return;
  const event = JSON.parse(line) as {
    Action?: string;
    Actor?: { Attributes?: Record<string, string> };
  };
  const { [LABEL.task]: taskId, [LABEL.container]: container } = event.Actor?.Attributes ?? {};
  if (taskId === undefined) return;
  if (event.Action === 'oom') listener.ranOutOfMemory(taskId, container ?? '');
  listener.changed(taskId);
}
