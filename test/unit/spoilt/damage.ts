/** One field of one stored object, and what it becomes. */
import fc from 'fast-check';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { damaged } from '../../world/damaged.ts';
import type { Stored } from './cluster.ts';

export interface Damage {
  readonly resource: string;
  readonly good: AnyObject;
  readonly bad: AnyObject;
  /** For people: `nodes/n1 status.conditions = null`. */
  readonly text: string;
}

/** By these an object is found, whatever else has become of it. */
const IDENTITY = [
  'metadata',
  ...['name', 'namespace', 'uid', 'resourceVersion'].map((field) => `metadata.${field}`),
];

/** `undefined` takes the field away. */
const VALUES = [undefined, null, {}, [], [null], [{}], '', 'x', -1, 1e21, true] as const;

export function damages(stored: Stored): fc.Arbitrary<Damage> {
  const resources = [...stored].filter(
    ([name, objects]) => objects.length > 0 && name !== 'events',
  );
  return fc
    .constantFrom(...resources)
    .chain(([resource, objects]) => fc.constantFrom(...objects).map((good) => ({ resource, good })))
    .chain(({ resource, good }) =>
      fc
        .tuple(fc.constantFrom(...pathsOf(good)), fc.constantFrom(...VALUES))
        .map(([path, value]) => ({
          ...{ resource, good, bad: damaged(good, path, value) },
          text: `${resource}/${good.metadata.name} ${path.join('.')} = ${JSON.stringify(value)}`,
        })),
    );
}

/** What is stored, with the damage done. */
export function withDamage(stored: Stored, { resource, good, bad }: Damage): Stored {
  const objects = stored.get(resource)?.map((object) => (object === good ? bad : object)) ?? [];
  return new Map(stored).set(resource, objects);
}

/** The paths of all fields, but for what the control plane hides in the object. */
function pathsOf(object: AnyObject): readonly string[][] {
  const { control: _, ...shown } = object;
  return [...below(shown, [])].filter((path) => !IDENTITY.includes(path.join('.')));
}

function* below(value: unknown, at: readonly string[]): Generator<string[]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield [...at, key];
    yield* below(inner, [...at, key]);
  }
}
