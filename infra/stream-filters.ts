/**
 * Which records of the table's stream wake the router: those of objects, which alone are in the
 * index of changes. Parts of large objects and entries for further owners are not, and what is
 * removed was told as deleted before: what goes is only what its time to live took. Lambda drops
 * those before a function is invoked, and they cost nothing.
 */
import { TABLE } from '../shared/api/names.ts';

const [{ sortKey: changed }] = TABLE.localIndexes;

/** Patterns of Lambda's event filtering; a record that fits one of them is let through. */
export const STREAM_FILTERS: readonly { readonly [key: string]: unknown }[] = [
  {
    eventName: ['INSERT', 'MODIFY'],
    dynamodb: { NewImage: { [changed.name]: { [changed.type]: [{ exists: true }] } } },
  },
];
