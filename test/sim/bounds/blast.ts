/**
 * The bounds B4 and B7: what machines are launched in vain, and what one object that can't be
 * handled costs the others of its cell.
 */
import type { AnyObject } from '../../../shared/api/meta.ts';
import { deployment, nodePool } from '../../world/manifests.ts';
import { HOUR_MS, MINUTE_MS, NS, Plain } from './plain.ts';

const LOOK_EVERY_MS = 100;

/**
 * B4: the machines that are launched in a day for a Deployment of one. No type has room for it
 * where it is `huge`; else machines are launched, and none of them ever joins.
 */
export async function machinesInVain(huge: boolean): Promise<{ all: number; atOnce: number }> {
  const plain = new Plain({ machines: true });
  await plain.begin(0);
  const { machines } = plain.world;
  if (!machines) throw new Error('a world of machines');
  machines.joinNoMore();
  const created = [
    plain.create(nodePool('general')),
    plain.create(deployment('web', NS, { cpu: huge ? '64' : '1' })),
  ];
  let atOnce = 0;
  for (let minute = 0; minute < 24 * 60; minute++) {
    await plain.pass(MINUTE_MS);
    const live = (await machines.list()).filter(({ state }) => state !== 'terminated');
    atOnce = Math.max(atOnce, live.length);
  }
  await Promise.all(created);
  return { all: machines.launched, atOnce };
}

/** What becomes of stored objects; each makes a handler that reads them fail. */
const POISON: readonly [resource: string, spoil: (object: AnyObject) => AnyObject][] = [
  ['pods', (pod) => ({ ...pod, spec: {} })],
  ['replicasets.apps', (set) => ({ ...set, spec: {} })],
  ['deployments.apps', (set) => ({ ...set, spec: {} })],
];

/** B7: how long it takes until a Deployment of twenty runs, with or without sick ones beside it. */
export async function readyMsBeside(sick: number): Promise<number> {
  const plain = new Plain();
  await plain.begin(4);
  const names = Array.from({ length: sick }, (_, i) => `sick-${i}`);
  const made = names.map((name) => plain.create(deployment(name, NS, { replicas: 2 })));
  await plain.untilReady(2 * sick, HOUR_MS);
  await Promise.all(made);
  for (const [resource, spoil] of POISON) {
    const { items } = await plain.world.store.list({ resource });
    for (const object of items) await plain.world.store.update(resource, spoil(object));
  }
  await plain.pass(MINUTE_MS);
  const startMs = plain.agenda.nowMs;
  const created = plain.create(deployment('web', NS, { replicas: 20 }));
  while ((await plain.ready('web')) < 20 && plain.agenda.nowMs - startMs < HOUR_MS) {
    await plain.pass(LOOK_EVERY_MS);
  }
  await created;
  return plain.agenda.nowMs - startMs;
}
