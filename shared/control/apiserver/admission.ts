/**
 * Admission: what the server adds to an object, or refuses, by more than its own fields. One hook a
 * kind; most kinds have none. Schema defaults are api/defaults.ts's.
 */
import type { Service } from '../../api/kinds/core.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import { withCondition } from '../../api/conditions.ts';
import { invalid } from '../../api/errors.ts';
import type { AnyObject, ResourceName } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import { Faults } from '../../api/validation/faults.ts';
import { checkStructure } from '../../api/validation/structure.ts';
import { NAMESPACE_FINALIZER } from '../../core/deletion.ts';
import { withIntent } from '../../core/pod/attempt.ts';
import { PRIORITY_CLASSES } from '../priority-classes.ts';
import type { Context } from './context.ts';
import { keepPriority, onlyDefault, prioritised } from './priority-admission.ts';
import { addressed } from './service-addresses.ts';

interface Admission {
  readonly create?: (object: AnyObject, context: Context) => Promise<AnyObject> | AnyObject;
  readonly update?: (
    next: AnyObject,
    current: AnyObject,
    context: Context,
    subresource: string,
  ) => Promise<AnyObject> | AnyObject;
}

const ADMISSIONS: { readonly [resource: ResourceName]: Admission } = {
  namespaces: { create: (object) => ({ ...object, spec: HELD }), update: keepFinalizers },
  pods: { create: prioritised, update: keepPriority },
  [PRIORITY_CLASSES]: {
    create: onlyDefault,
    update: (next, _current, context) => onlyDefault(next, context),
  },
  services: {
    create: (object, context) => addressService(object, undefined, context),
    update: (next, current, context, subresource) =>
      subresource === '' ? addressService(next, current, context) : next,
  },
};

export async function admitCreate(
  context: Context,
  type: ResourceType,
  object: AnyObject,
): Promise<AnyObject> {
  const hook = ADMISSIONS[type.name]?.create;
  return hook ? hook(whole(type, object), context) : object;
}

export async function admitUpdate(
  context: Context,
  type: ResourceType,
  next: AnyObject,
  current: AnyObject,
  subresource: string,
): Promise<AnyObject> {
  const hook = ADMISSIONS[type.name]?.update;
  return hook ? hook(whole(type, next), current, context, subresource) : next;
}

/**
 * Hooks look into objects before the rules do: what they look at has to be there, and of its type.
 */
function whole(type: ResourceType, object: AnyObject): AnyObject {
  const faults = new Faults();
  checkStructure(type.schema, object, '', faults);
  if (faults.causes.length > 0) throw invalid(type, object.metadata.name, faults.causes);
  return object;
}

/** A namespace is not gone before its contents are: its controller takes this away. */
const HELD = { finalizers: [NAMESPACE_FINALIZER] };

/** Only the finalize subresource changes what holds a namespace. */
function keepFinalizers(
  next: AnyObject,
  current: AnyObject,
  _context: Context,
  subresource: string,
): AnyObject {
  return subresource === 'finalize' ? next : { ...next, spec: current['spec'] };
}

/** The pod on its node. The launch intent is part of the same write (architecture D4). */
export function bound(pod: Pod, nodeName: string, nowMs: number): Pod {
  const scheduled = { type: 'PodScheduled', status: 'True' as const };
  const conditions = withCondition(pod.status.conditions, scheduled, nowMs);
  return {
    ...pod,
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions },
    control: withIntent(pod, (pod.control?.attempt ?? 0) + 1, nowMs).control ?? {},
  };
}

async function addressService(
  next: AnyObject,
  current: AnyObject | undefined,
  context: Context,
): Promise<AnyObject> {
  const service = next as unknown as Service;
  const old = current as unknown as Service | undefined;
  return await addressed(context, service, old);
}
