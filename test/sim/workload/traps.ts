/**
 * Scripts that set up what chance does too rarely: each is a trap for defects of one sort. They are
 * struck as all others are.
 */
import { withDefaults } from '../../../shared/api/defaults.ts';
import type { Deployment } from '../../../shared/api/kinds/workloads.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { CELL_LABEL } from '../../../shared/api/node-labels.ts';
import { resourceType } from '../../../shared/api/resources.ts';
import { newSetName } from '../../../shared/core/deployment/revisions.ts';
import {
  budget,
  deployment,
  manifest,
  pod,
  type PodShape,
  podGroup,
  priorityClass,
} from '../../world/manifests.ts';
import {
  after,
  changed,
  deletePods,
  exposed,
  type Hands,
  imaged,
  NS,
  scaled,
  web,
  type Written,
} from './deeds.ts';
import { LEDGERS } from '../../../shared/core/scheduling/ledger.ts';
import { inCell } from './mend.ts';
import { SPOILT } from './spoilt.ts';

/** Names a PriorityClass that nobody makes: pods of it are refused. */
const REFUSED = { priorityClassName: 'missing' };

/** More than recovery may take. */
const AN_HOUR_SECONDS = 3_600;

const TEN_MINUTES_MS = 600_000;

const SECONDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const CLASSES = 'priorityclasses.scheduling.k8s.io';

const IN_BATCH = { nodeSelector: { [CELL_LABEL]: 'batch' } };

/** Of no pods, and of other labels than the Deployment selects: it takes nothing but the name. */
function squatterOf(made: AnyObject): AnyObject {
  const admitted = withDefaults(resourceType('deployments.apps'), made);
  const name = newSetName({ ...admitted, status: {} } as unknown as Deployment);
  const { selector, template } = deployment('other', NS, {})['spec'] as Deployment['spec'];
  const metadata = { name, namespace: NS, labels: { app: 'other' } };
  return manifest('apps/v1', 'ReplicaSet', metadata, { spec: { replicas: 0, selector, template } });
}

/** Runs until its deadline. */
function timed(name: string): AnyObject {
  const made = pod(name, NS, { restartPolicy: 'Never' });
  return { ...made, spec: { ...(made['spec'] as object), activeDeadlineSeconds: 4 } };
}

/** Is ready only when it has run for a while. */
function slowlyReady(name: string, shape: PodShape = {}): AnyObject {
  const made = pod(name, NS, shape);
  const annotations = { 'nullplane.io/simulate': JSON.stringify({ readyDelayMs: 40_000 }) };
  return { ...made, metadata: { ...made.metadata, annotations } };
}

function cutOff({ machines, lasting }: Hands, names: readonly string[]): void {
  for (const name of names) machines.cutOff(name);
  lasting(TEN_MINUTES_MS, () => {
    for (const name of names) machines.reconnect(name);
  });
}

async function evictPods({ people }: Hands): Promise<void> {
  for (const { metadata } of await people.list('pods')) await people.evict(NS, metadata.name);
}

export const TRAPS: { readonly [name: string]: Written } = {
  ...SPOILT,
  refused: {
    what: 'pods that may not be made, and the revision that mends them',
    deeds: [
      web(1, REFUSED),
      changed(6, { template: { spec: { priorityClassName: null, priority: null } } }),
    ],
  },
  hasty: {
    what: 'young pods that are evicted within a budget',
    deeds: [
      web(3),
      after(0, ({ people }) => people.create(budget('web', NS, { maxUnavailable: 1 }))),
      ...[130, 140, 150, 160, 170].map((seconds) => after(seconds, evictPods)),
    ],
  },
  unindexed: {
    what: 'a Deployment deleted with its youngest dependents, who are long in being looked for',
    deeds: [
      web(2),
      after(1, ({ delay }) =>
        Promise.resolve(delay('?reconcile store.list serviceaccounts', 20, 6_000)),
      ),
      after(2, ({ people }) =>
        people.delete('deployments', NS, 'web', { propagationPolicy: 'Foreground' }),
      ),
    ],
  },
  renewed: {
    what: 'all pods of a set deleted, again and again',
    deeds: [web(8), ...[6, 16, 26, 36, 46, 56].map((seconds) => after(seconds, deletePods))],
  },
  deaf: {
    what: 'a Deployment that comes and goes while the stream tells nothing',
    isDeaf: true,
    soon: 'all',
    deeds: [
      web(2),
      exposed(),
      after(10, ({ people }) =>
        people.delete('deployments', NS, 'web', { propagationPolicy: 'Background' }),
      ),
    ],
  },
  crowd: {
    what: 'pods one by one on a machine that has none, which get parts of its GPUs',
    deeds: [0, 0.03, 0.06, 0.1, 0.13, 0.16].map((seconds, i) =>
      after(seconds, ({ people }) => people.create(pod(`solo-${i}`, NS, { gpuMilli: 300 }))),
    ),
  },
  rivals: {
    what: 'a pass that makes a ledger and binds late, and one that knows of an urgent pod instead',
    deeds: [
      after(0, ({ people }) => people.create(priorityClass('urgent', 1_000))),
      after(0, ({ delay }) => Promise.resolve(delay(`?schedule store.list ${LEDGERS}`, 2, 300))),
      after(0, ({ delay }) => Promise.resolve(delay(`schedule store.create ${LEDGERS}`, 1, 500))),
      after(0, ({ people }) => people.create(pod('solo', NS, { gpuMilli: 300 }))),
      after(0, ({ begin }) => Promise.resolve(begin('secondScheduler'))),
      after(0.25, ({ people }) => {
        return people.create(pod('vip', NS, { gpuMilli: 800, priorityClassName: 'urgent' }));
      }),
    ],
  },
  swept: {
    what: 'pods that come while sweep after sweep looks',
    deeds: SECONDS.flatMap((seconds) => [
      after(seconds, ({ sweep }) => Promise.resolve(sweep())),
      after(seconds, ({ people }) => people.create(pod(`solo-${seconds}`, NS, {}))),
    ]),
  },
  noRoom: {
    what: 'a pod whose launch is refused for want of room, deleted as there is room again',
    deeds: [
      after(0, ({ fill }) => Promise.resolve(fill(true))),
      after(0, ({ people }) => people.create(pod('solo', NS, {}))),
      after(33, ({ people }) => people.delete('pods', NS, 'solo')),
      after(34, ({ fill }) => Promise.resolve(fill(false))),
    ],
  },
  restored: {
    what: 'a table set back to before its Deployment, and people who make it again',
    deeds: [
      web(2),
      after(15, ({ begin }) => Promise.resolve(begin('restore'))),
      after(16, ({ people }) => people.create(deployment('web', NS, { replicas: 2 }))),
    ],
  },
  setBack: {
    what: 'a table set back to when its pod had no place yet, of which news comes meanwhile',
    deeds: [
      after(0, ({ people }) => people.create(slowlyReady('solo'))),
      after(0, ({ backUp }) => Promise.resolve(backUp())),
      after(15, ({ begin }) => Promise.resolve(begin('restore'))),
    ],
  },
  setBackShares: {
    what: 'a table set back to when its pod had no GPU yet, and others that want the GPUs',
    deeds: [
      after(0, ({ people }) => people.create(slowlyReady('solo', { gpuMilli: 600 }))),
      after(0, ({ backUp }) => Promise.resolve(backUp())),
      after(15, ({ begin }) => Promise.resolve(begin('restore'))),
      after(18, ({ people }) =>
        people.create(deployment('more', NS, { replicas: 8, gpuMilli: 600 })),
      ),
    ],
  },
  setBackRoom: {
    what: 'a table set back to when its pods had no place yet, and others that want their room',
    deeds: [
      web(3, { cpu: '100m' }),
      ...['n1', 'n2'].map((name) => after(3, ({ people }) => people.cordon(name, true))),
      after(4, ({ people }) => {
        return people.create(deployment('late', NS, { replicas: 2, cpu: '500m' }));
      }),
      after(6, ({ backUp }) => Promise.resolve(backUp())),
      ...['n1', 'n2'].map((name) => after(7, ({ people }) => people.cordon(name, false))),
      after(19, ({ begin }) => Promise.resolve(begin('restore'))),
      after(22, ({ people }) =>
        people.create(deployment('more', NS, { replicas: 8, cpu: '300m' })),
      ),
    ],
  },
  sickly: {
    what: 'machines whose GPUs fail and are well again, by clocks of their own',
    deeds: [
      web(2),
      ...[2, 6, 10, 14, 18, 22].map((seconds) =>
        after(seconds, ({ begin }) => Promise.resolve(begin('gpuFault'))),
      ),
    ],
  },
  apart: {
    what: 'a machine and a namespace that are given to a cell of their own while pods come',
    soon: 'apart',
    isMended: true,
    deeds: [
      web(2),
      after(4, ({ people }) => people.patch('nodes', undefined, 'n1', inCell('batch'))),
      after(5, ({ people }) => people.patch('namespaces', undefined, NS, inCell('batch'))),
      scaled(6, 4),
      after(7, ({ people }) => people.create(deployment('batch', NS, IN_BATCH))),
      after(20, ({ people }) => people.patch('namespaces', undefined, NS, inCell(null))),
      scaled(21, 5),
    ],
  },
  thawed: {
    what: 'a look that goes on after its time, at pods that have all been replaced since',
    deeds: [
      web(3),
      after(10, ({ delay }) =>
        Promise.resolve(delay(`?reconcile store.list ${CLASSES}`, 1, 45_000)),
      ),
      after(10, deletePods),
    ],
  },
  squatter: {
    what: 'a set that nobody owns takes the name that a Deployment has just found free for its own',
    soon: 'all',
    deeds: [
      after(0, ({ delay }) =>
        Promise.resolve(delay('?reconcile store.get replicasets.apps', 1, 3_000)),
      ),
      web(1),
      after(1, ({ people }) => people.create(squatterOf(deployment('web', NS, {})))),
      scaled(10, 2),
    ],
  },
  patient: {
    what: 'a pod that is given an hour to end, and needs none',
    deeds: [
      after(0, ({ people }) => people.create(pod('solo', NS, {}))),
      after(5, ({ people }) =>
        people.delete('pods', NS, 'solo', { gracePeriodSeconds: AN_HOUR_SECONDS }),
      ),
    ],
  },
  lingering: {
    what: 'a pod that takes long to end, and another one in its place',
    soon: 'ready',
    deeds: [
      web(1, { behaviour: { stopDelayMs: TEN_MINUTES_MS } }),
      after(6, async ({ people }) => {
        for (const { metadata } of await people.list('pods')) {
          const gracePeriodSeconds = AN_HOUR_SECONDS;
          await people.delete('pods', NS, metadata.name, { gracePeriodSeconds });
        }
      }),
    ],
  },
  deadline: {
    what: 'a pod of which the time is up while it runs',
    deeds: [after(0, ({ people }) => people.create(timed('solo')))],
  },
  waiting: {
    what: 'a pod that waits for room, gets some, and an urgent one that could take it',
    deeds: [
      after(0, ({ people }) => people.create(priorityClass('urgent', 1_000))),
      web(2, { cpu: '2' }),
      after(3, ({ people }) => people.create(deployment('more', NS, { replicas: 1, cpu: '2' }))),
      scaled(8, 1),
      after(14, ({ people }) => {
        const shape = { replicas: 1, cpu: '2', priorityClassName: 'urgent' };
        return people.create(deployment('vip', NS, shape));
      }),
    ],
  },
  leftovers: {
    what: 'an urgent pod that leaves some of the room that others have to give up for it',
    deeds: [
      after(0, ({ people }) => people.create(priorityClass('urgent', 1_000))),
      web(2, { cpu: '2500m' }),
      after(3, ({ people }) => people.create(deployment('more', NS, { replicas: 1, cpu: '1' }))),
      after(8, ({ people }) => {
        const shape = { replicas: 1, cpu: '1', priorityClassName: 'urgent' };
        return people.create(deployment('vip', NS, shape));
      }),
    ],
  },
  partial: {
    what: 'a gang of three where there is room for two',
    soon: 'unplaced',
    deeds: [
      after(0, ({ people }) => people.create(podGroup('gang', NS, 3))),
      after(0, ({ people }) => {
        const labels = { 'scheduling.x-k8s.io/pod-group': 'gang' };
        return people.create(deployment('gang', NS, { replicas: 3, cpu: '2', labels }));
      }),
    ],
  },
  evicted: {
    what: 'all pods are to be evicted, and their budget lets one go at a time',
    deeds: [
      web(3),
      after(1, ({ people }) => people.create(budget('web', NS, { maxUnavailable: 1 }))),
      after(10, evictPods),
    ],
  },
  dark: {
    what: 'all machines out of sight, for longer than pods put up with',
    soon: 'first',
    deeds: [web(2), after(6, (hands) => Promise.resolve(cutOff(hands, hands.machines.names)))],
  },
  cutOff: {
    what: 'one machine out of sight, for longer than pods put up with',
    deeds: [web(2), after(6, (hands) => Promise.resolve(cutOff(hands, ['n1'])))],
  },
  unlisted: {
    what: 'a node whose object somebody deletes while its machine works on',
    deeds: [web(2), after(6, ({ people }) => people.delete('nodes', undefined, 'n1'))],
  },
  nodeless: {
    what: 'all nodes gone from the table, and entered again',
    soon: 'first',
    isMended: true,
    deeds: [web(2), after(6, ({ begin }) => Promise.resolve(begin('nodesLost')))],
  },
  swap: {
    what: 'another image and back, each time all old pods first',
    deeds: [
      web(2, { strategy: { type: 'Recreate' } }),
      imaged(6, 'app:2'),
      imaged(14, 'app:3'),
      imaged(22, 'app:2'),
    ],
  },
  paused: {
    what: 'another image while it is paused, and then it goes on',
    deeds: [
      web(1),
      changed(5, { paused: true }),
      imaged(8, 'app:2'),
      changed(16, { paused: null }),
    ],
  },
  relabelled: {
    what: 'a pod that is given other labels, and left alone',
    deeds: [
      web(1),
      after(6, async ({ people }) => {
        const labels = { app: 'alone' };
        for (const { metadata } of await people.list('pods')) {
          await people.patch('pods', NS, metadata.name, { metadata: { labels } });
        }
      }),
    ],
  },
  orphaned: {
    what: 'deleted without what it owns',
    deeds: [
      web(2),
      after(8, ({ people }) =>
        people.delete('deployments', NS, 'web', { propagationPolicy: 'Orphan' }),
      ),
    ],
  },
  resized: {
    what: 'up, and at once down again, and another image soon after',
    deeds: [web(1), scaled(8, 4), scaled(8.1, 1), imaged(12, 'app:2')],
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
