import { describe, expect, it } from 'vitest';
import {
  type ClassFacts,
  defaultClass,
  withPriority,
} from '../../../shared/core/priority/resolve.ts';

function priorityClass(name: string, value: number, more: Partial<ClassFacts> = {}): ClassFacts {
  return { metadata: { name }, value, preemptionPolicy: 'PreemptLowerPriority', ...more };
}

const high = priorityClass('high', 1000);
const batch = priorityClass('batch', -10, { preemptionPolicy: 'Never', globalDefault: true });
const PREEMPT = 'PreemptLowerPriority';

describe('the priority of a pod', () => {
  it.each<[string, Parameters<typeof withPriority>[0], readonly ClassFacts[], unknown]>([
    ['none', {}, [high], { priority: 0, preemptionPolicy: PREEMPT }],
    [
      'that of its class',
      { priorityClassName: 'high' },
      [high],
      { priorityClassName: 'high', priority: 1000, preemptionPolicy: PREEMPT },
    ],
    [
      'that of the default class',
      {},
      [high, batch],
      { priorityClassName: 'batch', priority: -10, preemptionPolicy: 'Never' },
    ],
    [
      'one that it says itself, and that is right',
      { priorityClassName: 'high', priority: 1000, preemptionPolicy: PREEMPT },
      [high, batch],
      { priorityClassName: 'high', priority: 1000, preemptionPolicy: PREEMPT },
    ],
    [
      'the system’s, although nobody has made the class yet',
      { priorityClassName: 'system-node-critical' },
      [],
      {
        priorityClassName: 'system-node-critical',
        priority: 2_000_001_000,
        preemptionPolicy: PREEMPT,
      },
    ],
    ['in no class', { priorityClassName: 'x' }, [high], 'no PriorityClass with name x was found'],
    [
      'one of its own choice',
      { priorityClassName: 'high', priority: 5 },
      [high],
      'the integer value of priority (5) must not be provided in pod spec; priority admission ' +
        'controller computed 1000 from the given PriorityClass name',
    ],
    [
      'a policy of its own choice',
      { preemptionPolicy: 'Never' },
      [high],
      'the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority ' +
        'admission controller computed PreemptLowerPriority from the given PriorityClass name',
    ],
  ])('is %s', (_what, spec, classes, expected) => {
    expect(withPriority(spec, classes)).toEqual(expected);
  });

  it('leaves the rest of the spec as it is', () => {
    const spec = { priorityClassName: 'high', containers: [] };
    expect(withPriority(spec, [high])).toMatchObject({ containers: [] });
  });
});

describe('of several default classes', () => {
  const of = (name: string, value: number) => priorityClass(name, value, { globalDefault: true });

  it.each([
    [[of('a', 5), of('b', 3), high], 'b'],
    [[of('b', 3), of('a', 3)], 'a'],
    [[of('a', 3), of('b', 3)], 'a'],
    [[high], undefined],
    [[], undefined],
  ])('the least counts (%#)', (classes, name) => {
    expect(defaultClass(classes)?.metadata.name).toBe(name);
  });
});
