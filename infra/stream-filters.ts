/**
 * Which records of the table's stream wake the router: those of objects. Lambda drops the others
 * before a function is invoked, and they cost nothing.
 */

/** Patterns of Lambda's event filtering; a record that fits one of them is let through. */
export const STREAM_FILTERS: readonly { readonly [key: string]: unknown }[] = [
  { eventName: ['INSERT', 'MODIFY'] },
  // Not what DynamoDB itself removed because its time to live was over.
  { eventName: ['REMOVE'], userIdentity: { type: [{ exists: false }] } },
];
