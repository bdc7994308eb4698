/** What incidents have to do with: the world, what breaks it, and who must know of it. */
import type { ObjectKey } from '../../../shared/api/meta.ts';
import type { Stored, World } from '../../world/world.ts';
import type { Oracles } from '../judges/oracles.ts';
import type { Log } from '../judges/log.ts';
import type { Machines } from '../workload/machines.ts';
import type { People } from '../workload/people.ts';
import type { FaultyNetwork } from './network.ts';
import type { Outages } from './outages.ts';
import type { FaultyPost } from './post.ts';

export interface Scene {
  readonly world: World;
  readonly network: FaultyNetwork;
  readonly outages: Outages;
  readonly post: FaultyPost;
  readonly oracles: Oracles;
  readonly machines: Machines;
  readonly people: People;
  readonly log: Log;
  /** Keys as texts, the work on which throws. */
  readonly poisoned: Set<string>;
  /** Objects that were spoilt: nobody expects anything of them, and people delete them at last. */
  readonly spoilt: Map<string, ObjectKey>;
  /** The tables as they were at the last look, for a restore. */
  readonly backup: { objects: readonly Stored[] };
  /** Starts what nobody waits for. */
  readonly spawn: (work: Promise<unknown>) => void;
  /** Trouble is not over before, and then `end` is called. */
  readonly lasting: (ms: number, end: () => void) => void;
}
