import { expect, test } from 'vitest';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import { JsonRecorder } from '../../../adapters/node/json-recorder.ts';
import type { LogRecord } from '../../../shared/ports/recorder.ts';

function fresh(level?: LogRecord['level']) {
  const logs: string[] = [];
  const audits: string[] = [];
  const recorder = new JsonRecorder({
    clock: new StepClock(0),
    logs: { write: (line) => logs.push(line) },
    audits: { write: (line) => audits.push(line) },
    ...(level && { level }),
  });
  return { recorder, logs, audits };
}

test('a log record is a line of JSON with its time', () => {
  const { recorder, logs } = fresh();
  recorder.log({ level: 'info', message: 'A pod was bound.', fields: { pod: 'a', n: 1 } });
  expect(logs).toEqual([
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"A pod was bound.",' +
      '"fields":{"pod":"a","n":1}}\n',
  ]);
});

test('an audit record goes to its own stream, whatever the level', () => {
  const { recorder, logs, audits } = fresh('error');
  const write = {
    auditId: 'r',
    user: 'u',
    verb: 'create',
    resource: 'pods',
    namespace: 'd',
    name: 'a',
  };
  recorder.audit({ atMs: 5, ...write, code: 201 });
  const line = { time: '1970-01-01T00:00:00.005Z', level: 'audit', ...write, code: 201 };
  expect(audits.map((text) => JSON.parse(text) as unknown)).toEqual([line]);
  expect(logs).toEqual([]);
});

test('records below the level are dropped', () => {
  const { recorder, logs } = fresh('warn');
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    recorder.log({ level, message: level });
  }
  expect(logs.map((line) => (JSON.parse(line) as LogRecord).level)).toEqual(['warn', 'error']);
});

test('nothing in a field ends the line, controls a terminal or turns text around', () => {
  const { recorder, logs } = fresh();
  const name = 'a\n{"level":"error"}\r\u001b[2J\u009b31m\u2028\u202e\u007f\u0000é𝕏';
  recorder.log({ level: 'info', message: 'x', fields: { name } });
  const [line = ''] = logs;
  expect(line.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
  expect((JSON.parse(line) as LogRecord).fields).toEqual({ name });
});

test('errors are written with their message and cause', () => {
  const { recorder, logs } = fresh();
  const error = new RangeError('bad', { cause: new Error('why') });
  recorder.log({ level: 'error', message: 'x', fields: { error } });
  expect(JSON.parse(logs[0] ?? '')).toMatchObject({
    fields: { error: { name: 'RangeError', message: 'bad', cause: { message: 'why' } } },
  });
});

test('what can not be printed does not lose the record', () => {
  const { recorder, logs } = fresh();
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  recorder.log({ level: 'warn', message: 'A thing.', fields: { circular } });
  recorder.log({ level: 'warn', message: 'Another.', fields: { big: 1n } });
  const messages = logs.map((line) => (JSON.parse(line) as LogRecord).message);
  expect(messages).toEqual(['A thing.', 'Another.']);
});

test('measures are dropped without a namespace, and are embedded metrics with one', () => {
  const logs: string[] = [];
  const sink = { write: (line: string) => logs.push(line) };
  const options = { clock: new StepClock(5), logs: sink, audits: sink };
  const measure = {
    name: 'Launches',
    value: 2,
    unit: 'Count',
    dimensions: { Reason: 'x' },
  } as const;
  new JsonRecorder(options).measure(measure);
  expect(logs).toEqual([]);
  new JsonRecorder({ ...options, metricNamespace: 'Nullplane' }).measure(measure);
  const CloudWatchMetrics = [
    {
      Namespace: 'Nullplane',
      Dimensions: [['Reason']],
      Metrics: [{ Name: 'Launches', Unit: 'Count' }],
    },
  ];
  const embedded = { _aws: { Timestamp: 5, CloudWatchMetrics }, Reason: 'x', Launches: 2 };
  expect(logs.map((line) => JSON.parse(line) as unknown)).toEqual([embedded]);
});
