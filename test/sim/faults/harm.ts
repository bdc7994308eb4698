/** Harm that is done to what is stored, and what people do about it. */
import type { SeededRandom } from '../../../adapters/memory/seeded-random.ts';
import { expectedOf, keyOf } from '../../../shared/api/change.ts';
import { type AnyObject, keyText, type ObjectKey } from '../../../shared/api/meta.ts';
import { damaged } from '../../world/damaged.ts';
import type { Stored, World } from '../../world/world.ts';
import { shortly } from './faults.ts';
import type { Scene } from './scene.ts';

const MINUTE_MS = 60_000;

/** What is worth breaking: what controllers read of what people and controllers wrote. */
const SUBJECTS = ['deployments.apps', 'replicasets.apps', 'pods', 'services'] as const;

/** Writes of this name are nobody's: the judges take them as people's. */
const BY_HAND = 'api#harm';

/** The work on one object throws, whatever it is, for some minutes. */
export function poison({ world, poisoned, lasting, spawn }: Scene, random: SeededRandom): void {
  const choose = async (): Promise<void> => {
    const found = await somethingOf(
      world,
      ['deployments.apps', 'replicasets.apps', 'pods'],
      random,
    );
    if (!found) return;
    const key = keyText(keyOf(...found));
    poisoned.add(key);
    lasting(random.integer(3 * MINUTE_MS), () => void poisoned.delete(key));
  };
  spawn(choose());
}

/** One field of one object is gone, or is what it may not be. */
export function corrupt(scene: Scene, random: SeededRandom): void {
  const { world } = scene;
  const corruptSome = async (): Promise<void> => {
    const found = await somethingOf(world, SUBJECTS, random);
    if (!found) return;
    const [resource] = found;
    const damage = random.pick(DAMAGES[resource as (typeof SUBJECTS)[number]] ?? []);
    await damageIt(scene, found, damage);
  };
  scene.spawn(corruptSome());
}

/** One field of that object becomes what it may not be; nothing, where there is no such object. */
export async function spoil(
  scene: Scene,
  key: ObjectKey,
  path: string,
  value: unknown,
): Promise<void> {
  const object = await scene.world.store.get<AnyObject>(key);
  if (object) await damageIt(scene, [key.resource, object], [path, value]);
}

async function damageIt(
  { world, network, oracles, spoilt, log }: Scene,
  [resource, object]: Stored,
  [path, value]: Damage,
): Promise<void> {
  const key = keyOf(resource, object);
  oracles.expectNothingOf(object.metadata.uid, key);
  spoilt.set(object.metadata.uid, key);
  log.write(`spoilt ${path} of ${keyText(key)}`);
  await network.as(BY_HAND, () =>
    world.store.update(resource, damaged(object, path.split('.'), value)),
  );
}

/** A field by its path, and what it becomes; undefined takes it away. */
type Damage = readonly [path: string, value: unknown];

const OF_ALL: readonly Damage[] = [
  ['metadata.labels', {}],
  ['metadata.ownerReferences', []],
  ['metadata.annotations', { 'nullplane.io/simulate': '{' }],
  ['metadata.labels', 'none'],
  ['metadata.ownerReferences', [null]],
  ['status', undefined],
];

const OF_SETS: readonly Damage[] = [
  ...OF_ALL,
  ['spec.selector', { matchLabels: {} }],
  ['spec.selector.matchLabels', { app: 'other' }],
  ['spec.template.metadata.labels', {}],
  ['spec.template.spec.containers', []],
  ['spec.replicas', -1],
  ['spec.replicas', 'many'],
  ['spec.template', undefined],
];

const DAMAGES: { readonly [resource in (typeof SUBJECTS)[number]]: readonly Damage[] } = {
  'deployments.apps': OF_SETS,
  'replicasets.apps': OF_SETS,
  services: [...OF_ALL, ['spec.selector', { app: '' }]],
  pods: [
    ...OF_ALL,
    ['metadata.ownerReferences.0.uid', 'nobody'],
    ['spec.containers.0.resources.requests.cpu', 'abc'],
    ['spec.containers', []],
    ['spec.containers.0.resources', undefined],
    ['status.conditions', []],
    ['status.phase', ''],
    ['spec.restartPolicy', ''],
    ['spec.nodeSelector', { no: 'where' }],
    ['spec.tolerations', [{ key: '', operator: 'Equal', effect: 'x' }]],
    ['spec.affinity', { nodeAffinity: {} }],
    ['spec.tolerations', 'all'],
    ['status.containerStatuses', {}],
    ['spec', {}],
  ],
};

async function somethingOf(
  world: World,
  resources: readonly string[],
  random: SeededRandom,
): Promise<[resource: string, object: AnyObject] | undefined> {
  const resource = random.pick(resources);
  const { items } = await world.store.list({ resource });
  const standing = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return standing.length > 0 ? [resource, random.pick(standing)] : undefined;
}

/** All nodes are gone from the table; who runs the machines enters them again after a while. */
export function loseNodes(scene: Scene, random: SeededRandom): void {
  const { world, machines, lasting, spawn, network } = scene;
  const lose = async (): Promise<void> => {
    const { items } = await world.store.list({ resource: 'nodes' });
    for (const node of items) {
      const key = keyOf('nodes', node);
      await network.as(BY_HAND, () => world.store.remove(key, expectedOf(node)));
    }
    const enter = async (): Promise<void> => {
      for (const node of items) await world.reenterNode(node);
      machines.speak();
    };
    lasting(shortly(random, 10 * MINUTE_MS), () => spawn(enter()));
  };
  spawn(lose());
}

/**
 * The table is what it was at the last backup, and nothing of the stream tells so. As operators do
 * it: no function runs meanwhile.
 */
export function restore(scene: Scene): void {
  const { world, oracles, backup, spawn, lasting } = scene;
  const resume = world.halt('all');
  oracles.setBack(true);
  const work = async (): Promise<void> => {
    await world.restore(backup.objects);
    oracles.setBack(false);
  };
  spawn(work());
  lasting(MINUTE_MS, () => {
    resume();
    world.coldStart();
  });
}
