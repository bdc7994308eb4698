/**
 * B3: how often a pod is tried. After a crash or a launch that failed, the next attempt waits ten
 * seconds, and twice as long each time, up to five minutes; the first crash alone is made good at
 * once. So no pod begins more than seven attempts within five minutes.
 */
import type { Pod } from '../../../shared/api/kinds/pod.ts';

const WITHIN_MS = 5 * 60_000;
/**
 * A clock that is wrong ends a back-off early, and a pod that is sent back to be placed again
 * begins another attempt without one.
 */
const MOST_ATTEMPTS = 7 + 8;

export class Attempts {
  readonly #nowMs: () => number;
  /** When each pod's last attempts began. */
  readonly #begunAtMs = new Map<string, number[]>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Takes note of a pod's change; what is wrong with it, if anything is. */
  changed(was: Pod, { metadata, control }: Pod): string | undefined {
    if ((control?.attempt ?? 0) <= (was.control?.attempt ?? 0)) return undefined;
    const nowMs = this.#nowMs();
    const lately = (this.#begunAtMs.get(metadata.uid) ?? []).filter((ms) => ms > nowMs - WITHIN_MS);
    lately.push(nowMs);
    this.#begunAtMs.set(metadata.uid, lately);
    if (lately.length <= MOST_ATTEMPTS) return undefined;
    return `${metadata.name} begins ${lately.length} attempts within five minutes`;
  }
}
