/**
 * The loop's kernel: one key, one look, one plan, one outcome. Level-triggered: it knows nothing of
 * why it was woken, reads everything again, and leaves what comes next to the next wake.
 */
import { type KubeObject, keyText, type ObjectKey, parseKey } from '../api/meta.ts';
import { faultOf } from '../api/well-formed.ts';
import type { AnyController, Outcome, Reader } from './controller.ts';
import type { Effects } from './effects.ts';
import { execute } from './execute.ts';
import { Unavailable } from '../ports/store.ts';
import { isSurprising, outcomeOf, Unreadable } from './outcome.ts';
import { rememberingOwn } from './own-object.ts';
import { originOf, stamped } from './trace.ts';

export interface Work {
  readonly controller: AnyController;
  readonly key: ObjectKey;
}

/**
 * A look that took longer is of no use: its process was frozen, or its machine asleep, and the
 * message may be with somebody else by now, who has looked anew. Shorter than any queue hides a
 * message for; a look takes a second on a bad day.
 */
const MAX_LOOK_MS = 20_000;

/** The work that a message names; undefined for what no controller of ours could have sent. */
export function parseWork(text: string, controllers: readonly AnyController[]): Work | undefined {
  const colon = text.indexOf(':');
  const controller = controllers.find(({ name }) => name === text.slice(0, colon));
  if (!controller) return undefined;
  try {
    return { controller, key: parseKey(text.slice(colon + 1)) };
  } catch {
    return undefined;
  }
}

/**
 * `shared` answers what the look reads of other objects, for all work of a batch: it has to be
 * asked for after the messages of all that work were sent. The store itself when absent.
 */
export async function reconcile(
  work: Work,
  effects: Effects,
  shared: Pick<Reader, 'get'> = effects.store,
): Promise<Outcome> {
  const { controller, key } = work;
  try {
    const store = rememberingOwn(effects.store, key);
    const origin = originOf(store, key, shared);
    const beganAtMs = effects.clock.nowMs();
    const snapshot: unknown = await controller.snapshot(key, readable(origin, key));
    if (snapshot === undefined) return { type: 'done' };
    const nowMs = effects.clock.nowMs();
    if (nowMs - beganAtMs > MAX_LOOK_MS) throw new Unavailable('the look took too long to act on');
    const plan = controller.plan(snapshot, nowMs);
    await execute(plan, onAccountOf(origin.auditId, { ...effects, store }));
    return plan.againAfterMs === undefined
      ? { type: 'done' }
      : { type: 'after', ms: plan.againAfterMs };
  } catch (thrown) {
    const outcome = outcomeOf(thrown);
    if (outcome.type === 'retry' || outcome.type === 'terminal') report(work, outcome, effects);
    return outcome;
  }
}

/**
 * Nothing is done about an object that can't be read: what stands in for it is not what anybody
 * wants. One that is being deleted is let go.
 */
function readable(read: Reader, own: ObjectKey): Reader {
  const ownText = keyText(own);
  return {
    list: (query) => read.list(query),
    get: async <T extends KubeObject>(key: ObjectKey) => {
      const object = await read.get<T>(key);
      const fault = object && keyText(key) === ownText ? faultOf(object) : undefined;
      const isLeaving = object?.metadata.deletionTimestamp !== undefined;
      if (fault !== undefined && !isLeaving) throw new Unreadable(ownText, fault);
      return object;
    },
  };
}

function onAccountOf(auditId: string | undefined, effects: Effects): Effects {
  return auditId === undefined ? effects : { ...effects, store: stamped(effects.store, auditId) };
}

function report(
  { controller, key }: Work,
  outcome: Extract<Outcome, { error: Error }>,
  { recorder }: Effects,
): void {
  const { error } = outcome;
  recorder.log({
    level: isSurprising(error) ? 'error' : 'debug',
    message: 'reconcile failed',
    fields: {
      controller: controller.name,
      key,
      outcome: outcome.type,
      error: String(error),
      ...(isSurprising(error) ? { stack: error.stack } : {}),
    },
  });
}
