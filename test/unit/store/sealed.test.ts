import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../shared/api/meta.ts';
import { nextVersion, versionNumber } from '../../../shared/api/versions.ts';
import { seal, unseal } from '../../../shared/ports/sealed.ts';

const METADATA = { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '' };

function objectWith(field: unknown): KubeObject {
  const object = { apiVersion: 'v1', kind: 'X', metadata: METADATA, field };
  return object;
}

describe('a sealed object', () => {
  test('is what its JSON says, under its version', () => {
    const property = fc.property(fc.jsonValue(), (field) => {
      const { object, json } = seal(objectWith(field), 7);
      const given = objectWith(field);
      const expected = { ...given, metadata: { ...METADATA, resourceVersion: '7' } };
      expect(json).toBe(JSON.stringify(expected));
      expect(object).toStrictEqual(JSON.parse(json));
      expect(unseal(json)).toStrictEqual(object);
    });
    fc.assert(property);
  });

  test('shares with the object that it replaces what is the same, and nothing else', () => {
    const { object: base } = seal(objectWith({ x: [1] }), 1);
    const status = { y: 1 };
    const { object, json } = seal({ ...base, status } as KubeObject, 2, base);
    expect(object.field).toBe(base.field);
    expect(object.status).not.toBe(status);
    expect(object).toStrictEqual(JSON.parse(json));
    expect(object.metadata.resourceVersion).toBe('2');
  });

  test('shares what is the same inside what is not', () => {
    const labels = { app: 'a' };
    const drafted = { ...objectWith({}), metadata: { ...METADATA, labels } };
    const { object: base } = seal(drafted, 1);
    const { object } = seal(base, 2, base);
    expect(object.metadata).not.toBe(base.metadata);
    expect(object.metadata.labels).toBe(base.metadata.labels);
    expect(base.metadata.labels).not.toBe(labels);
  });

  test('refuses what JSON would change in silence', () => {
    for (const field of [NaN, Infinity, 1n, () => 1, Symbol('x'), new Date(0), new Map()]) {
      expect(() => seal(objectWith(field), 1)).toThrow(TypeError);
    }
    expect(() => seal(objectWith([undefined]), 1)).toThrow(TypeError);
  });
});

describe('versions', () => {
  test('follow the time, and grow when it does not', () => {
    const nowMs = 1_893_456_000_000;
    const first = nextVersion(0, nowMs);
    expect(nextVersion(first, nowMs)).toBe(first + 1);
    expect(nextVersion(first, nowMs - 60_000)).toBe(first + 1);
    expect(nextVersion(first, nowMs + 1)).toBeGreaterThan(first + 2_000);
    expect(nextVersion(first, nowMs + 0.5)).toBeGreaterThan(first);
  });

  test('are exact until the year 2109, and refused after', () => {
    expect(Number.isSafeInteger(nextVersion(0, Date.UTC(2109, 0)))).toBe(true);
    expect(() => nextVersion(0, Date.UTC(2110, 0))).toThrow(RangeError);
  });

  test('are read from decimal digits alone', () => {
    expect(versionNumber('42')).toBe(42);
    for (const wrong of ['', '-1', '1.5', '0x1', 'abc', ' 1']) {
      expect(() => versionNumber(wrong)).toThrow(RangeError);
    }
  });
});
