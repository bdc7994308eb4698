import { describe, expect, it } from 'vitest';
import { container, type Json, pod, updateFaults } from './faults.ts';

describe('an update of a pod', () => {
  const old = pod({ activeDeadlineSeconds: 10, schedulingGates: [{ name: 'g' }] });

  it.each<[string, Json, string[]]>([
    ['may change an image', { containers: [container({ image: 'c' })] }, []],
    ['may shorten the deadline', { activeDeadlineSeconds: 5 }, []],
    ['may add tolerations', { tolerations: [{ operator: 'Exists', key: 'a' }] }, []],
    ['may open gates', { schedulingGates: [] }, []],
    ['may narrow a gated pod', { nodeSelector: { a: 'b' } }, []],
    [
      'may not lengthen the deadline',
      { activeDeadlineSeconds: 20 },
      ['spec.activeDeadlineSeconds'],
    ],
    [
      'may not add gates',
      { schedulingGates: [{ name: 'g' }, { name: 'h' }] },
      ['spec.schedulingGates[1]'],
    ],
    ['may not change anything else', { containers: [container({ tty: true })] }, ['spec']],
    ['may not move it', { nodeName: 'n', schedulingGates: [] }, ['spec']],
    [
      'may not add containers',
      { containers: [container(), container({ name: 'c' })] },
      ['spec.containers'],
    ],
  ])('%s', (_, change, fields) => {
    const spec = { ...(old.spec as Json), ...change };
    const found = updateFaults('pods', old, { ...old, spec });
    expect(found.map((text) => text.split(':')[0])).toEqual(fields);
  });
});
