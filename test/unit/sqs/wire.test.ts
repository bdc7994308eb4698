import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SeededIds } from '../../../adapters/memory/seeded-ids.ts';
import { deliveryOf, fifoEntry, groupOfRecord } from '../../../adapters/aws/sqs/wire.ts';

const ids = new SeededIds(1);
const anyGroup = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom('a', 'b', 'a b', 'x'.repeat(128), 'x'.repeat(129)),
);
const anyBody = fc.oneof(fc.constantFrom('a', 'b', 'a b', 'x'.repeat(129)), fc.string());

it('any group comes back as it was, from receivers and functions, under an id SQS takes', () => {
  fc.assert(
    fc.property(anyGroup, anyBody, (group, body) => {
      fc.pre(body !== '' && !body.includes('\0'));
      const entry = fifoEntry({ group, body }, ids);
      expect(entry.MessageGroupId).toMatch(/^[!-~]{1,128}$/);
      const attributes = { MessageGroupId: entry.MessageGroupId };
      const told = entry.MessageAttributes?.['group']?.StringValue;
      const received = deliveryOf({
        Body: body,
        Attributes: { MessageGroupId: entry.MessageGroupId ?? '' },
        ...(entry.MessageAttributes ? { MessageAttributes: entry.MessageAttributes } : {}),
      });
      expect(received.group).toBe(group);
      const messageAttributes = { group: { stringValue: told } };
      const record = { body, attributes, ...(told === undefined ? {} : { messageAttributes }) };
      expect(groupOfRecord(record)).toBe(group);
    }),
    { numRuns: 1_000 },
  );
});

it('equal groups have equal ids, different groups different ones', () => {
  fc.assert(
    fc.property(anyGroup, anyGroup, (a, b) => {
      const id = (group: string) => fifoEntry({ group, body: 'x' }, ids).MessageGroupId;
      expect(id(a) === id(b)).toBe(a === b);
    }),
  );
});

it('attributes of others are taken for none of ours', () => {
  const attributes = { MessageGroupId: 'g' };
  for (const stringValue of ['', 'text', '7', '{']) {
    const record = { body: 'b', attributes, messageAttributes: { group: { stringValue } } };
    expect(groupOfRecord(record)).toBe('g');
  }
});
