/**
 * Small workloads that are the same in each run, for plans: few calls, so that each of them can be
 * struck in turn, and an end state that does not depend on which was.
 */
import {
  budget,
  deployment,
  namespace,
  pod,
  podGroup,
  priorityClass,
} from '../../world/manifests.ts';
import {
  after,
  type Deed,
  exposed,
  type Hands,
  imaged,
  NS,
  scaled,
  web,
  type Written,
} from './deeds.ts';
import { TRANSITIONS } from './transitions.ts';
import { TRAPS } from './traps.ts';

export interface Script extends Written {
  /** What is there before. */
  readonly setUp: (hands: Pick<Hands, 'people' | 'machines'>) => Promise<void>;
}

const FIRST_NODES = 2;

const SCRIPTS: { readonly [name: string]: Written } = {
  create: { what: 'a Deployment of two, and its Service', deeds: [web(2), exposed()] },
  scale: {
    what: 'up, and down while pods are on their way',
    deeds: [web(1), scaled(8, 3), scaled(9, 1)],
  },
  rollout: { what: 'another image', deeds: [web(2), imaged(8, 'app:2')] },
  rollback: {
    what: 'an image that is not there, and back',
    deeds: [web(1), imaged(6, 'app:missing'), imaged(20, 'app:1')],
  },
  recreate: {
    what: 'deleted and made anew under the same name',
    deeds: [
      web(1),
      after(6, async ({ people }) => {
        await people.delete('deployments', NS, 'web', { propagationPolicy: 'Background' });
        await people.create(deployment('web', NS, { replicas: 2 }));
      }),
    ],
  },
  foreground: {
    what: 'deleted from the leaves up',
    deeds: [
      web(2),
      after(6, ({ people }) =>
        people.delete('deployments', NS, 'web', { propagationPolicy: 'Foreground' }),
      ),
    ],
  },
  namespace: {
    what: 'a namespace deleted while it fills',
    deeds: [
      after(0, ({ people }) => people.create(namespace('b'))),
      after(0.5, ({ people }) => people.create(deployment('web', 'b', { replicas: 2 }))),
      after(2, ({ people }) => people.delete('namespaces', undefined, 'b')),
    ],
  },
  crash: {
    what: 'a container that ends twice, and then runs',
    deeds: [
      after(0, ({ people }) =>
        people.create(
          deployment('web', NS, {
            replicas: 1,
            behaviour: { exitCode: 1, exitAfterMs: 500, untilAttempt: 2 },
          }),
        ),
      ),
    ],
  },
  drain: {
    what: 'a node is drained within a disruption budget',
    deeds: [
      web(2),
      after(1, ({ people }) => people.create(budget('web', NS, { maxUnavailable: 1 }))),
      after(8, ({ people }) => people.drain('n1')),
      after(20, ({ people }) => people.drain('n1')),
    ],
  },
  lostNode: {
    what: 'a machine ends under its pods',
    deeds: [web(2), after(6, async ({ machines }) => machines.end('n1'))],
  },
  preempt: {
    what: 'an urgent pod takes the place of others',
    deeds: [
      after(0, ({ people }) => people.create(priorityClass('urgent', 1_000))),
      after(0, ({ people }) => people.create(deployment('web', NS, { replicas: 2, cpu: '2' }))),
      after(8, ({ people }) =>
        people.create(
          deployment('vip', NS, { replicas: 1, cpu: '2', priorityClassName: 'urgent' }),
        ),
      ),
    ],
  },
  gang: {
    what: 'three pods that are placed together, when the third has room',
    deeds: [
      after(0, ({ people }) => people.create(podGroup('gang', NS, 3))),
      after(0, ({ people }) =>
        people.create(
          deployment('gang', NS, {
            replicas: 3,
            cpu: '2',
            labels: { 'scheduling.x-k8s.io/pod-group': 'gang' },
          }),
        ),
      ),
      after(6, ({ machines }) => machines.add()),
    ],
  },
  solo: {
    what: 'a pod of its own, deleted as it starts',
    deeds: [
      after(0, ({ people }) => people.create(pod('solo', NS, {}))),
      after(0.6, ({ people }) => people.delete('pods', NS, 'solo')),
    ],
  },
  ...TRAPS,
};

export const SCRIPT_NAMES = Object.keys(SCRIPTS);

const TRANSITION = 'transition:';

/** A script by its name, or that of a transition by its number: `transition:12`. */
export function scriptNamed(name: string): Script {
  if (name.startsWith(TRANSITION)) return transitionScript(Number(name.slice(TRANSITION.length)));
  const written = SCRIPTS[name];
  if (!written) throw new RangeError(`no such script; there are ${SCRIPT_NAMES.join(', ')}`);
  return { ...written, setUp };
}

export function transitionName(index: number): string {
  return `${TRANSITION}${index}`;
}

/** A field of a Deployment is set to something, and is as it was afterwards. */
function transitionScript(index: number): Script {
  const transition = TRANSITIONS[index];
  if (!transition) throw new RangeError(`there are ${TRANSITIONS.length} transitions`);
  const { field, value, patch } = transition;
  const change: Deed['act'] = ({ people }) => people.patch('deployments', NS, 'web', patch);
  const what = `${field} becomes ${JSON.stringify(value)}`;
  return { what, setUp, deeds: [web(1), after(5, change)], isMended: true };
}

async function setUp({ people, machines }: Pick<Hands, 'people' | 'machines'>): Promise<void> {
  await people.create(namespace(NS));
  for (let i = 0; i < FIRST_NODES; i++) await machines.add();
}
