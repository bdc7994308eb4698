/** Plans and effects as lines of a transcript: who decided what, and why not more. */
import { keyOf } from '../../shared/api/change.ts';
import { type AnyObject, keyText, type ObjectKey } from '../../shared/api/meta.ts';
import type { Action, Plan } from '../../shared/core/plan.ts';
import { differences } from './difference.ts';

/** Looks up what is stored. */
export type Known = (key: ObjectKey) => AnyObject | undefined;

/** More of them say no more. */
const MAX_DIFFERENCES = 8;

/** Longer ones are a difference a line. */
const MAX_LINE = 70;
const INDENT = ' '.repeat(13);

/** `own` is what the plan is about: it need not be named again. */
export function planLines(plan: Plan, known: Known, own?: ObjectKey): readonly string[] {
  return [
    ...plan.stages.flat().map((action) => actionLine(action, known, own)),
    ...plan.blocked.map((reason) => `blocked: ${reason}`),
  ];
}

export function actionLine(action: Action, known: Known, own?: ObjectKey): string {
  switch (action.kind) {
    case 'create':
      return `create ${shortName(keyOf(action.resource, action.object))}${sizeOf(action.object)}`;
    case 'update': {
      const key = keyOf(action.resource, action.object);
      const isOwn = own && keyText(own) === keyText(key);
      return `update${isOwn ? '' : ` ${shortName(key)}`}:${changesOf(known(key), action.object)}`;
    }
    case 'remove':
      return `remove ${shortName(action.key)}`;
    case 'runTask':
      return `run task ${action.pod.name} attempt ${action.attempt}`;
    case 'stopTask':
      return `stop task ${podOfTask(action.taskId)} within ${action.graceSeconds}s`;
    case 'lookUpTask':
      return `look up task ${action.pod.name} attempt ${action.attempt}`;
    case 'launchInstance':
      return `launch an instance for ${shortName(action.claim)}`;
    case 'terminateInstance':
      return `end instance ${action.instanceId}`;
    case 'event':
      return `tell ${action.about.name}: ${action.reason}: ${action.message}`;
  }
}

export function shortName({ resource, namespace, name }: ObjectKey): string {
  const plural = resource.split('.')[0] ?? resource;
  const place = namespace && namespace !== 'default' ? `${namespace}/` : '';
  return `${plural} ${place}${name}`;
}

function changesOf(before: AnyObject | undefined, after: AnyObject): string {
  const all = differences(before ?? {}, after);
  const shown = all.slice(0, MAX_DIFFERENCES);
  if (all.length > shown.length) shown.push(`and ${all.length - shown.length} more`);
  if (shown.length === 0) return ' bookkeeping only';
  const line = shown.join('; ');
  return line.length <= MAX_LINE ? ` ${line}` : shown.map((text) => `\n${INDENT}${text}`).join('');
}

function sizeOf({ spec }: AnyObject): string {
  const { replicas } = (spec ?? {}) as { readonly replicas?: number };
  return replicas === undefined ? '' : ` (${replicas} replicas)`;
}

/** Task ids end in the number of the attempt. */
function podOfTask(taskId: string): string {
  return `${taskId.slice(0, 8)}…${taskId.slice(taskId.lastIndexOf('-'))}`;
}

/** Finds an object among those that changes have told of. */
export class Mirror {
  readonly #objects = new Map<string, AnyObject>();

  get: Known = (key) => this.#objects.get(keyText(key));

  set(key: ObjectKey, object: AnyObject | undefined): void {
    if (object) this.#objects.set(keyText(key), object);
    else this.#objects.delete(keyText(key));
  }

  all(resource: string): readonly AnyObject[] {
    return [...this.#objects]
      .filter(([key]) => key.startsWith(`${resource}/`))
      .map(([, object]) => object);
  }
}
