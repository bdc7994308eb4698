/**
 * Which records of the table's stream wake the router: those of objects. Parts of large objects,
 * entries for further owners and the journal are not, and what is removed was told as deleted
 * before: what goes is only what its time to live took. Lambda drops those before a function is
 * invoked, and they cost nothing.
 */
import { TABLE } from '../shared/api/names.ts';

const { objectAttribute: only } = TABLE;

/** Patterns of Lambda's event filtering; a record that fits one of them is let through. */
export const STREAM_FILTERS: readonly { readonly [key: string]: unknown }[] = [
  {
    eventName: ['INSERT', 'MODIFY'],
    dynamodb: { NewImage: { [only.name]: { [only.type]: [{ exists: true }] } } },
  },
];
