/**
 * What Kubernetes' own code writes: the same objects in JSON and in protobuf, made by
 * kubernetes/main.go from k8s.io/api v0.37. Every field of every kind that is served is in them,
 * with a value, with a zero, and not at all.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bytesOfBase64 } from '../../../../shared/api/base64.ts';
import { isJsonObject, type JsonObject } from '../../../../shared/api/json.ts';
import { parseProtobuf } from '../../../../shared/api/protobuf/decode.ts';
import { isReadKind, wireMessage } from '../../../../shared/api/protobuf/fields.ts';

interface Fixture {
  readonly mode: 'empty' | 'zero' | 'full';
  readonly json: JsonObject;
  readonly protobuf: string;
}

const FILE = join(import.meta.dirname, 'kubernetes/objects.jsonl.gz');
const FIXTURES = gunzipSync(readFileSync(FILE))
  .toString()
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Fixture);

/** Go writes `null` for lists and times that are not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutNulls(item)]));
}

/** Notes the names of all messages that a message leads to, itself among them. */
function reach(name: string, path: readonly string[], found: Set<string>): void {
  expect(path, 'no message is in itself').not.toContain(name);
  expect(path.length).toBeLessThan(MAX_LEVELS);
  if (found.has(name)) return;
  found.add(name);
  for (const { type } of wireMessage(name)?.values() ?? []) {
    if (!SCALARS.has(type)) reach(type, [...path, name], found);
  }
}

/** So deep may messages lead: a byte is looked at once on each level. */
const MAX_LEVELS = 16;

const SCALARS = new Set(['string', 'bytes', 'raw', 'bool', 'int32', 'int64']);

describe('objects of Kubernetes in protobuf', () => {
  it.each(FIXTURES.map(({ mode, json, protobuf }) => [json['kind'], mode, json, protobuf]))(
    '%s, %s, are what they are in JSON',
    (_kind, _mode, json, protobuf) => {
      const { value, unread } = parseProtobuf(bytesOfBase64(protobuf));
      expect(value).toEqual(withoutNulls(json));
      expect(unread).toEqual([]);
    },
  );

  it('are of kinds whose messages are all in the table', () => {
    const found = new Set<string>();
    for (const { json } of FIXTURES) {
      const { apiVersion, kind } = json as { apiVersion: string; kind: string };
      expect([kind, isReadKind(apiVersion, kind)]).toEqual([kind, true]);
      reach(kind, [], found);
    }
    expect([...found].filter((name) => !wireMessage(name))).toEqual([]);
  });
});
