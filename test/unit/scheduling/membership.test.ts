import { describe, expect, it } from 'vitest';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { PodGroup } from '../../../shared/api/kinds/scheduling.ts';
import { draftMeta, type ObjectMeta } from '../../../shared/api/meta.ts';
import {
  GANG_MIN_AVAILABLE,
  GANG_NAME,
  gangOf,
  groupsByKey,
  POD_GROUP_LABEL,
} from '../../../shared/core/scheduling/gang/membership.ts';

function group(name: string, spec: PodGroup['spec'], namespace = 'd'): PodGroup {
  return {
    apiVersion: 'scheduling.x-k8s.io/v1alpha1',
    kind: 'PodGroup',
    metadata: draftMeta({ name, namespace }),
    spec,
    status: {},
  };
}

const podOf = (metadata: Partial<ObjectMeta>) =>
  ({ metadata: draftMeta({ name: 'p', namespace: 'd', ...metadata }) }) as Pod;

const train = group('train', { minMember: 4, scheduleTimeoutSeconds: 30 });
const eager = group('eager', { minMember: 2 });
const other = group('other', { minMember: 3 }, 'elsewhere');
const groups = groupsByKey([train, eager, other]);
const light = (name: string, min?: string) => ({
  [GANG_NAME]: name,
  ...(min === undefined ? {} : { [GANG_MIN_AVAILABLE]: min }),
});

describe('the gang of a pod', () => {
  it.each<[string, Partial<ObjectMeta>, ReturnType<typeof gangOf>]>([
    ['none', {}, undefined],
    ['none, by an empty label', { labels: { [POD_GROUP_LABEL]: '' } }, undefined],
    [
      'that of its group',
      { labels: { [POD_GROUP_LABEL]: 'train' } },
      { key: 'd/train', minMember: 4, timeoutSeconds: 30, group: train },
    ],
    [
      'one that waits for as long as is usual',
      { labels: { [POD_GROUP_LABEL]: 'eager' } },
      { key: 'd/eager', minMember: 2, timeoutSeconds: 60, group: eager },
    ],
    [
      'not that of a namesake elsewhere',
      { labels: { [POD_GROUP_LABEL]: 'other' } },
      'PodGroup "other" not found',
    ],
    [
      'what its labels say',
      { labels: light('solo', '3') },
      { key: 'd/solo', minMember: 3, timeoutSeconds: 60 },
    ],
    [
      'what its annotations say',
      { annotations: light('solo', '3') },
      { key: 'd/solo', minMember: 3, timeoutSeconds: 60 },
    ],
    [
      'its group’s, although it says another',
      { labels: { [POD_GROUP_LABEL]: 'train', ...light('solo', '3') } },
      { key: 'd/train', minMember: 4, timeoutSeconds: 30, group: train },
    ],
    [
      'that of a group of the name that it says, where there is one',
      { labels: light('train', '9') },
      { key: 'd/train', minMember: 4, timeoutSeconds: 30, group: train },
    ],
    [
      'not told',
      { labels: light('solo') },
      `${GANG_MIN_AVAILABLE} must be a number of pods, and is ""`,
    ],
    ['not told by nothing', { labels: light('solo', '0') }, expect.stringContaining('and is "0"')],
    ['not told by words', { labels: light('solo', 'two') }, expect.stringContaining('"two"')],
  ])('is %s', (_what, metadata, gang) => {
    expect(gangOf(podOf(metadata), groups)).toEqual(gang);
  });
});
