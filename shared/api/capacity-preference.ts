/**
 * Kinds of capacity, and the order in which a pod wants them: an annotation of pods and of their
 * templates.
 */

/** On machines of EC2, or as tasks of Fargate; of each, what may be taken away and what may not. */
export const CAPACITY_KINDS = ['spot', 'on-demand', 'fargate-spot', 'fargate'] as const;

export type CapacityKind = (typeof CAPACITY_KINDS)[number];

/** `spot, fargate-spot, on-demand`: first the first; kinds that are not named come last, alike. */
export const CAPACITY_PREFERENCE = 'nullplane.io/capacity-preference';

/** The kinds in the order of preference, or what is wrong with the text. */
export function parseCapacityPreference(text: string): readonly CapacityKind[] | string {
  const kinds: CapacityKind[] = [];
  for (const word of text.split(',').map((part) => part.trim())) {
    const kind = CAPACITY_KINDS.find((one) => one === word);
    if (!kind) return `${JSON.stringify(word)} is none of ${CAPACITY_KINDS.join(', ')}`;
    if (kinds.includes(kind)) return `names ${kind} twice`;
    kinds.push(kind);
  }
  return kinds;
}
