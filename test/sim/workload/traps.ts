/**
 * Scripts that set up what chance does too rarely: each is a trap for defects of one sort. They are
 * struck as all others are.
 */
import { deployment, pod } from '../../world/manifests.ts';
import { after, changed, exposed, imaged, NS, web, type Written } from './deeds.ts';
import { HUGE } from './mend.ts';

/** Names a PriorityClass that nobody makes: pods of it are refused. */
const REFUSED = { priorityClassName: 'missing' };

const WEB = { resource: 'deployments.apps', namespace: NS, name: 'web' };
const BAD = { resource: 'pods', namespace: NS, name: HUGE };

export const TRAPS: { readonly [name: string]: Written } = {
  refused: {
    what: 'pods that may not be made, and the revision that mends them',
    deeds: [
      web(1, REFUSED),
      changed(6, { template: { spec: { priorityClassName: null, priority: null } } }),
    ],
  },
  spoilt: {
    what: 'a pod that cannot be read, beside others that can',
    staysSpoilt: true,
    deeds: [
      after(0, ({ people }) => people.create(pod(HUGE, NS, { cpu: '64' }))),
      after(3, ({ spoil }) => spoil(BAD, 'spec.containers.0.resources.requests.cpu', 'abc')),
      after(4, ({ people }) => people.create(deployment('web', NS, { replicas: 2 }))),
    ],
  },
  unselected: {
    what: 'a stored selector that selects none of what its template makes',
    deeds: [
      web(1),
      after(6, ({ spoil }) => spoil(WEB, 'spec.selector.matchLabels', { app: 'other' })),
      imaged(7, 'app:2'),
    ],
  },
  deaf: {
    what: 'a Deployment and its Service, of which the stream tells nothing',
    isDeaf: true,
    deeds: [web(2), exposed()],
  },
  crowd: {
    what: 'pods one by one on machines that have none',
    deeds: [0, 0.1, 0.2, 0.3, 0.4, 0.5].map((seconds, i) =>
      after(seconds, ({ people }) => people.create(pod(`solo-${i}`, NS, { cpu: '900m' }))),
    ),
  },
  loop: {
    what: 'a container that ends as soon as it has begun, again and again, until it is mended',
    isMended: true,
    deeds: [web(1, { behaviour: { exitCode: 1, exitAfterMs: 200 } })],
  },
  unpulled: {
    what: 'an image that is not there, until it is mended',
    isMended: true,
    deeds: [web(1, { image: 'app:missing' })],
  },
  namesakes: {
    what: 'pods of their own, each deleted, and made again under its name as soon as it has gone',
    deeds: ['app:missing', 'app:1', 'app:missing', 'app:1'].map((image, i) =>
      after(3 * i, async ({ people }) => {
        if (i > 0) await people.deleteAndWait('pods', NS, 'solo');
        await people.create(pod('solo', NS, { image }));
      }),
    ),
  },
};
