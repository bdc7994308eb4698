/**
 * How messages travel. The calm post brings each one once and at once; the simulation's does not.
 */

export type Channel = 'stream' | 'reconcile' | 'schedule' | 'health';

export interface Post {
  /**
   * The delays after which a message arrives: none when it is lost, several when it is duplicated.
   */
  arrivals(channel: Channel): readonly number[];
}

export const CALM_POST: Post = { arrivals: () => [0] };
