/**
 * Traps in which something that is stored is spoilt past the API: it stands beside what is well, or
 * is what a controller has to go by.
 */
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { keyOf } from '../../../shared/api/change.ts';
import type { AnyObject, ResourceName } from '../../../shared/api/meta.ts';
import { deployment, manifest, pod } from '../../world/manifests.ts';
import {
  after,
  changed,
  type Deed,
  deletePods,
  imaged,
  NS,
  scaled,
  web,
  type Written,
} from './deeds.ts';
import { HUGE } from './mend.ts';

const WEB = { resource: 'deployments.apps', namespace: NS, name: 'web' };
const SOLO = { resource: 'pods', namespace: NS, name: 'solo' };
const BAD = { resource: 'pods', namespace: NS, name: HUGE };
const SETTINGS = 'settings';

function spoilAll(resource: ResourceName, path: string, value: unknown): Deed['act'] {
  return async ({ people, spoil }) => {
    for (const object of await people.list(resource)) {
      await spoil(keyOf(resource, object), path, value);
    }
  };
}

/** Is run once there are the settings that it names. */
function needy(name: string): AnyObject {
  const made = pod(name, NS, {});
  const spec = made['spec'] as Pod['spec'];
  const envFrom = [{ configMapRef: { name: SETTINGS } }];
  return {
    ...made,
    spec: { ...spec, containers: spec.containers.map((one) => ({ ...one, envFrom })) },
  };
}

export const SPOILT: { readonly [name: string]: Written } = {
  spoilt: {
    what: 'a pod that cannot be read, beside others that can',
    staysSpoilt: true,
    deeds: [
      after(0, ({ people }) => people.create(pod(HUGE, NS, { cpu: '64' }))),
      after(3, ({ spoil }) => spoil(BAD, 'spec.containers.0.resources.requests.cpu', 'abc')),
      after(4, ({ people }) => people.create(deployment('web', NS, { replicas: 2 }))),
    ],
  },
  hollow: {
    what: 'a pod that has lost its containers while its task runs, and others that want its room',
    deeds: [
      web(1, { cpu: '2' }),
      after(6, spoilAll('pods', 'spec.containers', [])),
      after(7, ({ people }) => people.create(deployment('more', NS, { replicas: 2, cpu: '2' }))),
    ],
  },
  bodiless: {
    what: 'pods that have lost all that they are, while their tasks run, and others for their room',
    deeds: [
      web(3, { cpu: '2' }),
      after(6, spoilAll('pods', 'spec', {})),
      after(7, ({ people }) => people.create(deployment('more', NS, { replicas: 3, cpu: '2' }))),
    ],
  },
  unweighed: {
    what: 'pods that have lost what they ask for, deleted while their tasks run',
    deeds: [
      web(3, { cpu: '2' }),
      after(6, spoilAll('pods', 'spec.containers.0.resources.requests.cpu', 'abc')),
      after(7, deletePods),
    ],
  },
  needy: {
    what: 'a pod that is spoilt as it waits for its settings, which come, and that is deleted then',
    soon: 'unlaunched',
    staysSpoilt: true,
    deeds: [
      after(0, ({ people }) => people.create(needy('solo'))),
      after(3, ({ spoil }) => spoil(SOLO, 'spec.containers.0.resources.requests.cpu', 'abc')),
      after(4, ({ people }) =>
        people.create(manifest('v1', 'ConfigMap', { name: SETTINGS, namespace: NS }, {})),
      ),
      after(5, ({ people }) => people.delete('pods', NS, 'solo')),
    ],
  },
  unlabelled: {
    what: 'a set whose template has lost its labels, while its Deployment is paused and pods go',
    soon: 'owned',
    isMended: true,
    deeds: [
      web(2),
      changed(5, { paused: true }),
      after(6, spoilAll('replicasets.apps', 'spec.template.metadata.labels', {})),
      after(7, deletePods),
    ],
  },
  unowned: {
    what: 'pods whose references to their owner have become nothing',
    deeds: [web(2), after(6, spoilAll('pods', 'metadata.ownerReferences', [null])), scaled(8, 3)],
  },
  unselected: {
    what: 'a stored selector that selects none of what its template makes',
    deeds: [
      web(1),
      after(6, ({ spoil }) => spoil(WEB, 'spec.selector.matchLabels', { app: 'other' })),
      imaged(7, 'app:2'),
    ],
  },
};
