/**
 * Labels and taints of a node as attributes of its container instance, and back: the machine's
 * agent brings them from its first moment on, so that no pod slips in before a taint is there.
 * Source: Amazon ECS API reference, Attribute (names and values of at most 128 characters).
 */
import type { Taint } from './kinds/affinity.ts';
import { labelValue, qualifiedName } from './names.ts';

export type Attributes = { readonly [name: string]: string };

/** A taint is `<effect>:<key>` or `<effect>:<key>:<value>`; the names only keep them apart. */
const TAINT_ATTRIBUTE = 'nullplane.io/taint-';

/** Attributes of ECS's own, and of the classes that it places by. */
const RESERVED = /^(ecs\.|com\.amazonaws\.)/;

const MAX_ATTRIBUTE_CHARS = 128;
/** As many as fit the tags that bring them to the machine, the tags of others left in peace. */
export const MAX_ATTRIBUTES = 32;

/** Throws a RangeError that says which label or taint can't be an attribute. */
export function attributesOf(labels: Attributes, taints: readonly Taint[]): Attributes {
  const asTaint = ({ key, value, effect }: Taint) =>
    [effect, key, ...(value ? [value] : [])].join(':');
  const entries = [
    ...Object.entries(labels),
    ...taints.map((taint, i) => [`${TAINT_ATTRIBUTE}${i}`, asTaint(taint)] as const),
  ];
  if (entries.length > MAX_ATTRIBUTES) {
    throw new RangeError(`${entries.length} labels and taints are more than ${MAX_ATTRIBUTES}`);
  }
  for (const [name, value] of entries) {
    const isFit = [name, value].every(({ length }) => length > 0 && length <= MAX_ATTRIBUTE_CHARS);
    if (!isFit || RESERVED.test(name)) {
      throw new RangeError(`"${name}=${value}" can't be an attribute of a container instance`);
    }
  }
  return Object.fromEntries(entries);
}

/** The attributes that are labels; what can't be one is left out. */
export function labelsOfAttributes(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name, value]) =>
        !RESERVED.test(name) &&
        !name.startsWith(TAINT_ATTRIBUTE) &&
        qualifiedName(name).length === 0 &&
        labelValue(value).length === 0,
    ),
  );
}

export function taintsOfAttributes(attributes: Attributes): readonly Taint[] {
  return Object.entries(attributes)
    .filter(([name]) => name.startsWith(TAINT_ATTRIBUTE))
    .flatMap(([, text]) => {
      const [effect = '', key = '', value = ''] = text.split(':');
      const isFit = qualifiedName(key).length === 0 && labelValue(value).length === 0;
      if (!isEffect(effect) || !isFit) return [];
      return [{ key, effect, ...(value ? { value } : {}) }];
    });
}

function isEffect(text: string): text is Taint['effect'] {
  return text === 'NoSchedule' || text === 'PreferNoSchedule' || text === 'NoExecute';
}
