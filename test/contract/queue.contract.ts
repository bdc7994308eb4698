/** What every adapter of `Queue` keeps to. Times are those of a clock that the cases move. */
import { expect } from 'vitest';
import { settle, StepClock } from '../../adapters/memory/step-clock.ts';
import { type Delivery, MAX_RECEIVES, type Queue } from '../../shared/ports/queue.ts';
import { type Cases, runCases, type Skip } from './contract.ts';

export interface QueueOptions {
  readonly clock: StepClock;
  readonly visibilityMs: number;
}

export interface QueueSubject {
  readonly name: string;
  readonly make: (options: QueueOptions) => Queue;
  readonly skip?: readonly Skip[];
}

const VISIBILITY_MS = 30_000;

interface World {
  readonly clock: StepClock;
  readonly queue: Queue;
}

export function queueContract({ name, make, skip = [] }: QueueSubject): void {
  const fresh = (): World => {
    const clock = new StepClock();
    return { clock, queue: make({ clock, visibilityMs: VISIBILITY_MS }) };
  };
  const parts = [orderCases, returnCases, delayCases, waitCases].map((part) => part(fresh));
  runCases(name, Object.assign({}, ...parts) as Cases, skip);
}

const message = (body: string, group = 'g') => ({ group, body });
const bodies = (deliveries: readonly Delivery[]) => deliveries.map((delivery) => delivery.body);

/** What is there now, all of it done with. */
async function drain({ queue }: World): Promise<string[]> {
  const seen: string[] = [];
  for (;;) {
    const batch = await queue.receive(10, 0);
    if (batch.length === 0) return seen;
    seen.push(...bodies(batch));
    for (const delivery of batch) await queue.ack(delivery);
  }
}

async function receiveOne({ queue }: World): Promise<Delivery> {
  const [delivery] = await queue.receive(1, 0);
  if (!delivery) throw new Error('there was nothing to receive');
  return delivery;
}

function orderCases(fresh: () => World): Cases {
  return {
    'a queue with nothing in it gives nothing': async () => {
      const { queue } = fresh();
      expect(await queue.receive(10, 0)).toEqual([]);
      expect(await queue.deadLetters(10)).toEqual([]);
    },
    'messages of a group come in the order of sending': async () => {
      const world = fresh();
      const sent = Array.from({ length: 25 }, (_, i) => `m${i}`);
      await world.queue.send(sent.slice(0, 10).map((body) => message(body)));
      for (const body of sent.slice(10)) await world.queue.send([message(body)]);
      expect(await drain(world)).toEqual(sent);
    },
    'a delivery says what was sent, and that it is the first': async () => {
      const world = fresh();
      await world.queue.send([message('a')]);
      expect(await receiveOne(world)).toMatchObject({ group: 'g', body: 'a', receives: 1 });
    },
    'a batch is no larger than asked for': async () => {
      const { queue } = fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      expect(bodies(await queue.receive(2, 0))).toEqual(['a', 'b']);
    },
    'a group has one batch in flight; the next comes when all of it is done': async () => {
      const { queue } = fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      const [a, b] = await queue.receive(2, 0);
      expect(await queue.receive(10, 0)).toEqual([]);
      await queue.ack(a as Delivery);
      expect(await queue.receive(10, 0)).toEqual([]);
      await queue.ack(b as Delivery);
      expect(bodies(await queue.receive(10, 0))).toEqual(['c']);
    },
    'groups do not wait for each other': async () => {
      const world = fresh();
      await world.queue.send([message('a', 'x')]);
      await receiveOne(world);
      await world.queue.send([message('b', 'x'), message('c', 'y')]);
      expect(await drain(world)).toEqual(['c']);
    },
    'groups whose names run into bodies are apart': async () => {
      const world = fresh();
      await world.queue.send([message('bc', 'a'), message('c', 'ab'), message('', 'abc')]);
      expect((await drain(world)).sort()).toEqual(['', 'bc', 'c']);
    },
    'a message that waits takes in its equals': async () => {
      const world = fresh();
      await world.queue.send([message('a'), message('b'), message('a')]);
      await world.queue.send([message('b'), message('a', 'other')]);
      expect((await drain(world)).sort()).toEqual(['a', 'a', 'b']);
    },
    'a message sent while its equal is worked on is not lost': async () => {
      const world = fresh();
      await world.queue.send([message('a')]);
      const first = await receiveOne(world);
      await world.queue.send([message('a')]);
      await world.queue.ack(first);
      expect(await drain(world)).toEqual(['a']);
    },
  };
}

function returnCases(fresh: () => World): Cases {
  return {
    'what is acknowledged does not come again, also when told twice': async () => {
      const world = fresh();
      await world.queue.send([message('a'), message('b')]);
      const delivery = await receiveOne(world);
      await world.queue.ack(delivery);
      const next = await receiveOne(world);
      await world.queue.ack(delivery);
      expect(await world.queue.receive(1, 0)).toEqual([]); // `next` still holds the group
      await world.queue.ack(next);
      await world.clock.advance(2 * VISIBILITY_MS);
      expect(await drain(world)).toEqual([]);
    },
    'what is not acknowledged in time comes again, in order and before the rest': async () => {
      const { clock, queue } = fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      await queue.receive(2, 0);
      await clock.advance(VISIBILITY_MS - 1);
      expect(await queue.receive(10, 0)).toEqual([]);
      await clock.advance(1);
      const again = await queue.receive(10, 0);
      expect(again.map(({ body, receives }) => [body, receives])).toEqual([
        ['a', 2],
        ['b', 2],
        ['c', 1],
      ]);
    },
    'an acknowledgement that is late does not end the work of another': async () => {
      const world = fresh();
      await world.queue.send([message('a')]);
      const late = await receiveOne(world);
      await world.clock.advance(VISIBILITY_MS);
      const again = await receiveOne(world);
      await world.queue.ack(late);
      await world.queue.release(late, 0);
      expect(await world.queue.receive(1, 0)).toEqual([]);
      await world.queue.release(again, 0);
      expect((await receiveOne(world)).receives).toBe(3);
    },
    'what is released comes again, before later messages of its group': async () => {
      const { queue } = fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      const [a, b] = await queue.receive(2, 0);
      await queue.release(b as Delivery, 0);
      await queue.release(a as Delivery, 0);
      expect(bodies(await queue.receive(10, 0))).toEqual(['a', 'b', 'c']);
    },
    'what is released with a delay comes after it, and holds back nothing': async () => {
      const world = fresh();
      await world.queue.send([message('a'), message('b')]);
      await world.queue.release(await receiveOne(world), 5_000);
      expect(await drain(world)).toEqual(['b']);
      await world.clock.advance(4_999);
      expect(await drain(world)).toEqual([]);
      await world.clock.advance(1);
      expect(await receiveOne(world)).toMatchObject({ body: 'a', receives: 2 });
    },
    'a message that is given back again and again ends as a dead letter': async () => {
      const world = fresh();
      await world.queue.send([message('poison'), message('good')]);
      for (let i = 1; i <= MAX_RECEIVES; i++) {
        const delivery = await receiveOne(world);
        expect(delivery).toMatchObject({ body: 'poison', receives: i });
        if (i % 2) await world.queue.release(delivery, 0);
        else await world.clock.advance(VISIBILITY_MS);
      }
      expect(await drain(world)).toEqual(['good']);
      expect(await world.queue.deadLetters(10)).toEqual([message('poison')]);
    },
    'a poison is found out though its equals keep coming': async () => {
      const world = fresh();
      for (let i = 0; i < 2 * MAX_RECEIVES; i++) {
        await world.queue.send([message('poison')]);
        const delivery = await receiveOne(world);
        await world.queue.send([message('poison')]);
        await world.queue.release(delivery, 0);
      }
      expect(await world.queue.deadLetters(10)).not.toEqual([]);
    },
    'dead letters come oldest first, up to the number asked for': async () => {
      const world = fresh();
      for (const body of ['a', 'b', 'c']) {
        await world.queue.send([message(body)]);
        for (let i = 0; i < MAX_RECEIVES; i++) {
          await world.queue.release(await receiveOne(world), 0);
        }
      }
      expect(await world.queue.deadLetters(2)).toEqual([message('a'), message('b')]);
      expect(await drain(world)).toEqual([]);
    },
  };
}

function delayCases(fresh: () => World): Cases {
  return {
    'a delayed message comes after its time, and does not hold back later ones': async () => {
      const world = fresh();
      await world.queue.send([{ ...message('late'), delayMs: 1_000 }, message('now')]);
      expect(await drain(world)).toEqual(['now']);
      await world.clock.advance(999);
      expect(await drain(world)).toEqual([]);
      await world.clock.advance(1);
      expect(await drain(world)).toEqual(['late']);
    },
    'delayed messages come in order of their times': async () => {
      const world = fresh();
      const delays = [30, 10, 20, 10, 0];
      await world.queue.send(delays.map((ms, i) => ({ ...message(`m${i}`), delayMs: ms })));
      await world.clock.advance(30);
      expect(await drain(world)).toEqual(['m4', 'm1', 'm3', 'm2', 'm0']);
    },
    'an immediate message does not wait for its delayed equal': async () => {
      const world = fresh();
      await world.queue.send([{ ...message('a'), delayMs: 1_000 }]);
      await world.queue.send([message('a')]);
      expect(await drain(world)).toEqual(['a']);
    },
    'a delayed message is not later than the earliest of its equals': async () => {
      const world = fresh();
      for (const delayMs of [5_000, 1_000, 9_000]) {
        await world.queue.send([{ ...message('a'), delayMs }]);
      }
      await world.clock.advance(1_000);
      expect(await drain(world)).toEqual(['a']);
    },
  };
}

function waitCases(fresh: () => World): Cases {
  return {
    'a receiver waits for the first message': async () => {
      const { clock, queue } = fresh();
      const waiting = queue.receive(10, 20_000);
      await clock.advance(5_000);
      await queue.send([message('a'), message('b')]);
      expect(bodies(await waiting)).toEqual(['a', 'b']);
    },
    'a receiver that waits in vain gets nothing when its time is over': async () => {
      const { clock, queue } = fresh();
      const startMs = clock.nowMs();
      let endedAtMs = 0;
      const waiting = queue.receive(10, 20_000).then((batch) => {
        endedAtMs = clock.nowMs();
        return batch;
      });
      await clock.advance(60_000);
      expect(await waiting).toEqual([]);
      expect(endedAtMs - startMs).toBe(20_000);
    },
    'a receiver is woken by a delayed message at its time, also by one sent later': async () => {
      const { clock, queue } = fresh();
      await queue.send([{ ...message('slow'), delayMs: 10_000 }]);
      const waiting = queue.receive(10, 20_000);
      await settle();
      await queue.send([{ ...message('quick'), delayMs: 2_000 }]);
      await clock.advance(2_000);
      expect(bodies(await waiting)).toEqual(['quick']);
    },
    'a receiver is woken when a group becomes free': async () => {
      const world = fresh();
      await world.queue.send([message('a'), message('b')]);
      const first = await receiveOne(world);
      const waiting = world.queue.receive(10, 20_000);
      await settle();
      await world.queue.ack(first);
      expect(bodies(await waiting)).toEqual(['b']);
    },
    'a receiver is woken by what another did not finish in time': async () => {
      const world = fresh();
      const waiting = world.queue.receive(10, 10 * VISIBILITY_MS);
      const other = world.queue.receive(10, 10 * VISIBILITY_MS);
      await settle();
      await world.queue.send([message('a')]);
      expect(bodies(await waiting)).toEqual(['a']);
      await world.clock.advance(VISIBILITY_MS);
      expect(bodies(await other)).toEqual(['a']);
    },
    'each of many receivers gets a group of its own': async () => {
      const { queue } = fresh();
      const waiting = Array.from({ length: 5 }, () => queue.receive(1, 20_000));
      await settle();
      const groups = ['a', 'b', 'c', 'd', 'e'];
      await queue.send(groups.map((group) => message('work', group)));
      const batches = await Promise.all(waiting);
      expect(batches.flatMap((batch) => batch.map(({ group }) => group)).sort()).toEqual(groups);
    },
  };
}
