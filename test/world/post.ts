/**
 * How messages travel. The calm post brings each one once and at once; the simulation's does not.
 */
import type { WorkMessage } from '../../shared/ports/queue.ts';

export type Channel = 'stream' | 'reconcile' | 'schedule' | 'health';

export interface Post {
  /**
   * The delays after which a message arrives: none when it is lost, several when it is duplicated.
   */
  arrivals(channel: Channel): readonly number[];
  /** What of these is sent, or besides. */
  sending(
    channel: Exclude<Channel, 'stream'>,
    messages: readonly WorkMessage[],
  ): readonly WorkMessage[];
}

export const CALM_POST: Post = { arrivals: () => [0], sending: (_channel, messages) => messages };
