/** One id from a request to what controllers write on its account. */
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { StepClock } from '../../../adapters/memory/step-clock.ts';
import type { AnyObject } from '../../../shared/api/meta.ts';
import { auditIdOf, originOf, stamped } from '../../../shared/control/trace.ts';

function draft(name: string): AnyObject {
  const metadata = { name, namespace: 'x', uid: name, resourceVersion: '', creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

const keyOf = (name: string) => ({ resource: 'configmaps', namespace: 'x', name });

describe('a stamped store', () => {
  it('names the request on what it writes, beside what is remembered already', async () => {
    const store = new MemoryStore({ clock: new StepClock() });
    const first = await stamped(store, 'r1').create('configmaps', draft('a'));
    expect(auditIdOf(first)).toBe('r1');
    const kept = await store.update('configmaps', { ...first, control: { attempt: 2 } });
    const next = await stamped(store, 'r2').update('configmaps', kept);
    expect(next.control).toEqual({ attempt: 2, auditId: 'r2' });
  });

  it('leaves events and ledgers alone', async () => {
    const store = stamped(new MemoryStore({ clock: new StepClock() }), 'r1');
    expect((await store.create('events', draft('e'))).control).toBeUndefined();
  });
});

describe('an origin', () => {
  it('is the request of the object of the key, whatever else is read', async () => {
    const store = new MemoryStore({ clock: new StepClock() });
    await stamped(store, 'r1').create('configmaps', draft('a'));
    await stamped(store, 'r2').create('configmaps', draft('b'));
    const origin = originOf(store, keyOf('a'));
    expect(origin.auditId).toBeUndefined();
    await origin.get(keyOf('b'));
    expect(origin.auditId).toBeUndefined();
    await origin.get(keyOf('a'));
    expect(origin.auditId).toBe('r1');
  });
});
