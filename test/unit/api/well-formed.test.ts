import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyObject } from '../../../shared/api/meta.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { RESOURCES } from '../../../shared/api/resources.ts';
import { asStored, faultOf, isStandIn, wellFormed } from '../../../shared/api/well-formed.ts';
import { budget, pod } from '../disruption/fixtures.ts';

const shown = (object: unknown, resource = 'pods') => wellFormed(resource, object as AnyObject);

describe('what stands in for a stored object', () => {
  // With the defaults that the fixture lacks.
  const good = structuredClone(shown(pod('a'))) as unknown as Pod;
  const { spec, metadata, ...rest } = good;

  it.each<[what: string, object: object, fault: string, becomes: object]>([
    ['a field of another type', { ...good, spec: { ...spec, nodeName: 7 } }, 'spec.nodeName', rest],
    [
      'an item of another type',
      { ...good, spec: { ...spec, tolerations: [null, { key: 'a' }] } },
      'spec.tolerations.0',
      { spec: { tolerations: [{ key: 'a' }] } },
    ],
    [
      'a value of another type',
      { ...good, metadata: { ...metadata, labels: { a: 1, b: 'b' } } },
      'metadata.labels.a',
      { metadata: { labels: { b: 'b' } } },
    ],
    [
      'an amount that is none',
      { ...good, spec: { ...spec, overhead: { cpu: 'much', memory: '1Gi' } } },
      'spec.overhead.cpu',
      { spec: { overhead: { memory: '1Gi' } } },
    ],
    ['what must be there and is not', { ...good, spec: {} }, 'spec.containers', {}],
    [
      'nothing of what it is',
      { ...good, spec: 'x', status: [] },
      'spec',
      { spec: { containers: [] } },
    ],
    [
      'a value out of no set, which newer code may know',
      { ...good, spec: { ...spec, restartPolicy: 'Sometimes' } },
      'spec.restartPolicy',
      { spec: { restartPolicy: 'Sometimes' } },
    ],
  ])('%s', (_what, object, fault, becomes) => {
    const standIn = shown(object);
    expect(faultOf(standIn)).toBe(fault);
    expect(standIn).toMatchObject(becomes);
    expect(standIn.metadata).toMatchObject({ name: 'a', uid: 'uid-a', resourceVersion: '1' });
  });

  it('is the object itself where that is well-formed, with what its kind does not know', () => {
    const newer = { ...good, spec: { ...spec, unheard: true } };
    expect(shown(newer)).toBe(newer);
    expect(isStandIn(newer)).toBe(false);
  });

  it('is one and the same, and stands in for itself', () => {
    const bad = { ...good, status: 'x' };
    expect(shown(bad)).toBe(shown(bad));
    expect(shown(shown(bad))).toBe(shown(bad));
  });

  it.each([
    ['its status', { ...budget(), status: 'x' }, { app: 'web' }],
    ['its selector, and may be of any pod', { ...budget(), spec: { selector: 1 } }, undefined],
  ])('allows nothing, of a budget that has lost %s', (_what, bad, matchLabels) => {
    expect(shown(bad, 'poddisruptionbudgets.policy')).toMatchObject({
      spec: { selector: matchLabels ? { matchLabels } : {} },
      status: { disruptionsAllowed: 0 },
    });
  });

  it('is written as it was stored, where nobody has replaced a part of it', () => {
    const bad = { ...good, spec: { ...spec, nodeName: 7 }, status: 'x' };
    const { metadata: _, ...written } = asStored({ ...shown(bad), status: { phase: 'Failed' } });
    expect(written).toMatchObject({ spec: { nodeName: 7 }, status: { phase: 'Failed' } });
    const { status: _gone, ...lost } = good;
    expect(asStored({ ...shown(lost) })).toEqual(lost);
    expect(asStored(good)).toBe(good);
  });

  it('is well-formed itself, of whatever kind', () => {
    const anything = fc.record({
      metadata: fc.constant(metadata),
      spec: fc.jsonValue(),
      status: fc.jsonValue(),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...RESOURCES.map(({ name }) => name)),
        anything,
        (name, object) => {
          const { ...copy } = shown(object, name);
          expect(faultOf(shown(copy, name))).toBeUndefined();
        },
      ),
    );
  });
});
