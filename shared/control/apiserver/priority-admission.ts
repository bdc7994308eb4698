/**
 * Admission by priority: pods get the priority of their class, and there is one default class at
 * most. The rule and its words are core/priority's; here is what is read for it.
 */
import { forbidden } from '../../api/errors.ts';
import type { Pod } from '../../api/kinds/pod.ts';
import type { PriorityClass } from '../../api/kinds/scheduling.ts';
import type { AnyObject } from '../../api/meta.ts';
import { resourceType } from '../../api/resources.ts';
import { defaultClass, withPriority } from '../../core/priority/resolve.ts';
import { classesFor, PRIORITY_CLASSES } from '../priority-classes.ts';
import type { Context } from './context.ts';

/** A new pod. Throws Forbidden where its class does not exist or gives another priority. */
export async function prioritised(object: AnyObject, { deps }: Context): Promise<AnyObject> {
  const pod = object as unknown as Pod;
  const classes = await classesFor(pod.spec.priorityClassName, deps.store);
  const spec = withPriority(pod.spec, classes);
  if (typeof spec === 'string') throw forbidden(resourceType('pods'), pod.metadata.name, spec);
  return { ...object, spec };
}

/** A changed pod keeps what it was given, although a client left it out. */
export function keepPriority(next: AnyObject, current: AnyObject): AnyObject {
  const { spec } = next as unknown as Pod;
  const { spec: old } = current as unknown as Pod;
  const { priority = old.priority, preemptionPolicy = old.preemptionPolicy } = spec;
  const kept = {
    ...(priority === undefined ? {} : { priority }),
    ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
  };
  return { ...next, spec: { ...spec, ...kept } };
}

/** Two that are made at the same moment may both pass: core/priority says which one counts. */
export async function onlyDefault(object: AnyObject, { deps }: Context): Promise<AnyObject> {
  const { metadata, globalDefault } = object as unknown as PriorityClass;
  if (!globalDefault) return object;
  const classes = await classesFor(undefined, deps.store);
  const other = defaultClass(classes.filter((one) => one.metadata.name !== metadata.name));
  if (!other) return object;
  const { name } = other.metadata;
  const why = `PriorityClass ${name} is already marked as default. Only one default can exist`;
  throw forbidden(resourceType(PRIORITY_CLASSES), metadata.name, why);
}
