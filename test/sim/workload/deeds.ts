/** What scripts are made of: who acts, with what, and the acts that many of them share. */
import type { ObjectKey } from '../../../shared/api/meta.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { deployment, service } from '../../world/manifests.ts';
import type { Incident } from '../faults/catalogue.ts';
import type { Ground } from './ground.ts';
import type { Machines } from './machines.ts';
import { templateChange } from './mend.ts';
import type { People } from './people.ts';

export interface Hands {
  readonly people: People;
  readonly machines: Machines;
  readonly ground: Ground;
  readonly clock: Clock;
  /** A field of what is stored becomes what it may not be, past the API. */
  readonly spoil: (key: ObjectKey, path: string, value: unknown) => Promise<void>;
  /** Something that lasts, or harm that is done. */
  readonly begin: (incident: Incident) => void;
  /** From now on, what a restore brings back is the table as it is at this moment. */
  readonly backUp: () => void;
  /** The answers to the next calls of this sort, as traces tell of it, come so much later. */
  readonly delay: (about: string, calls: number, ms: number) => void;
  /** Trouble is not over before, and then `end` is called. */
  readonly lasting: (ms: number, end: () => void) => void;
  /** One sweep more. */
  readonly sweep: () => void;
  /** Whether launches find no room, on any machine that is there now. */
  readonly fill: (isFull: boolean) => void;
}

export interface Deed {
  readonly atMs: number;
  readonly act: (hands: Hands) => Promise<unknown>;
}

export interface Written {
  readonly what: string;
  readonly deeds: readonly Deed[];
  /** Nothing mends what was spoilt before all the rest has come right beside it (B7). */
  readonly staysSpoilt?: true;
  /** The stream tells nothing from the first deed on: prompts and sweeps have to do. */
  readonly isDeaf?: true;
  /**
   * What is so a minute after the first sweep, where nothing strikes: everything is as it should be
   * (W1), as many pods are ready as were asked for, and on machines of their cells, the pods are
   * those that were made first, each has a controller, none has a place, or nothing was ever
   * launched.
   */
  readonly soon?: 'all' | 'ready' | 'apart' | 'first' | 'owned' | 'unplaced' | 'unlaunched';
  /** Deployments are left as they can't run, and have to be replaced. */
  readonly isMended?: true;
}

/** The namespace of scripts. */
export const NS = 'a';

const SECOND_MS = 1_000;

export const CALM = { startDelayMs: 500, readyDelayMs: 500, stopDelayMs: 500 };

export function after(seconds: number, act: Deed['act']): Deed {
  return { atMs: seconds * SECOND_MS, act };
}

export function web(replicas: number, more: object = {}): Deed {
  return after(0, ({ people }) => people.create(deployment('web', NS, { replicas, ...more })));
}

export function changed(seconds: number, spec: object): Deed {
  return after(seconds, ({ people }) => people.patch('deployments', NS, 'web', { spec }));
}

export function scaled(seconds: number, replicas: number): Deed {
  return changed(seconds, { replicas });
}

export function imaged(seconds: number, image: string): Deed {
  return after(seconds, ({ people, ground }) =>
    people.patch('deployments', NS, 'web', templateChange(image, ground.shapeOf(CALM))),
  );
}

export function exposed(): Deed {
  return after(0, ({ people }) => people.create(service('web', NS, { app: 'web' })));
}

export async function deletePods({ people }: Hands): Promise<void> {
  for (const { metadata } of await people.list('pods')) {
    await people.delete('pods', NS, metadata.name);
  }
}
