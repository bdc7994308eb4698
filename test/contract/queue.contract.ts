/**
 * What every adapter of `Queue` keeps to. Time passes through the subject: at once where its clock
 * is ours, and really where it is not.
 */
import { expect } from 'vitest';
import { type Delivery, MAX_RECEIVES, type Queue } from '../../shared/ports/queue.ts';
import { type Cases, runCases, type Skip } from './contract.ts';

export interface QueueSubject {
  readonly name: string;
  /** A queue with nothing in it. Deliveries end after `visibilityMs`. */
  readonly make: (options: { readonly visibilityMs: number }) => QueueWorld | Promise<QueueWorld>;
  /** What delays and waits are multiples of. */
  readonly unitMs: number;
  /** How exactly the subject's time can be told: at most two units. */
  readonly tickMs: number;
  readonly skip?: readonly Skip[];
}

export interface QueueWorld {
  readonly queue: Queue;
  /** Lets the time pass; with 0, lets run what waits for nothing but its turn. */
  readonly pass: (ms: number) => Promise<void>;
}

const VISIBILITY_UNITS = 5;

interface World extends QueueWorld {
  readonly unitMs: number;
  readonly tickMs: number;
  readonly visibilityMs: number;
}

type Fresh = () => Promise<World>;

export function queueContract({ name, make, unitMs, tickMs, skip = [] }: QueueSubject): void {
  const visibilityMs = VISIBILITY_UNITS * unitMs;
  const fresh = async (): Promise<World> => {
    const { queue, pass } = await make({ visibilityMs });
    return { queue, pass, unitMs, tickMs, visibilityMs };
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

function orderCases(fresh: Fresh): Cases {
  return {
    'a queue with nothing in it gives nothing': async () => {
      const { queue } = await fresh();
      expect(await queue.receive(10, 0)).toEqual([]);
      expect(await queue.deadLetters(10)).toEqual([]);
    },
    'messages of a group come in the order of sending': async () => {
      const world = await fresh();
      const sent = Array.from({ length: 25 }, (_, i) => `m${i}`);
      await world.queue.send(sent.slice(0, 10).map((body) => message(body)));
      for (const body of sent.slice(10)) await world.queue.send([message(body)]);
      expect(await drain(world)).toEqual(sent);
    },
    'a delivery says what was sent, and that it is the first': async () => {
      const world = await fresh();
      await world.queue.send([message('a')]);
      expect(await receiveOne(world)).toMatchObject({ group: 'g', body: 'a', receives: 1 });
    },
    'a batch is no larger than asked for': async () => {
      const { queue } = await fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      expect(bodies(await queue.receive(2, 0))).toEqual(['a', 'b']);
    },
    'a group has one batch in flight; the next comes when all of it is done': async () => {
      const { queue } = await fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      const [a, b] = await queue.receive(2, 0);
      expect(await queue.receive(10, 0)).toEqual([]);
      await queue.ack(a as Delivery);
      expect(await queue.receive(10, 0)).toEqual([]);
      await queue.ack(b as Delivery);
      expect(bodies(await queue.receive(10, 0))).toEqual(['c']);
    },
    'groups do not wait for each other': async () => {
      const world = await fresh();
      await world.queue.send([message('a', 'x')]);
      await receiveOne(world);
      await world.queue.send([message('b', 'x'), message('c', 'y')]);
      expect(await drain(world)).toEqual(['c']);
    },
    'groups whose names run into bodies are apart': async () => {
      const world = await fresh();
      await world.queue.send([message('bc', 'a'), message('c', 'ab'), message('abc', 'x')]);
      expect((await drain(world)).sort()).toEqual(['abc', 'bc', 'c']);
    },
    'a group may have any text, and is handed out as it was sent': async () => {
      const { queue } = await fresh();
      const groups = ['plain:a/b', 'with a space', 'ä€🙂', 'x'.repeat(300), 'y'.repeat(128)];
      const sent = groups.flatMap((group) => [message(group, group), message('other', group)]);
      await queue.send(sent);
      const received = await queue.receive(10, 0);
      const pairs = received.map(({ group, body }) => JSON.stringify({ group, body }));
      expect(pairs.sort()).toEqual(sent.map((each) => JSON.stringify(each)).sort());
    },
    'an empty body is a body': async () => {
      const world = await fresh();
      await world.queue.send([message('', 'abc'), message('c', 'ab'), message('bc', 'a')]);
      expect((await drain(world)).sort()).toEqual(['', 'bc', 'c']);
    },
    'a message that waits takes in its equals': async () => {
      const world = await fresh();
      await world.queue.send([message('a'), message('b'), message('a')]);
      await world.queue.send([message('b'), message('a', 'other')]);
      expect((await drain(world)).sort()).toEqual(['a', 'a', 'b']);
    },
    'a message sent while its equal is worked on is not lost': async () => {
      const world = await fresh();
      await world.queue.send([message('a')]);
      const first = await receiveOne(world);
      await world.queue.send([message('a')]);
      await world.queue.ack(first);
      expect(await drain(world)).toEqual(['a']);
    },
  };
}

function returnCases(fresh: Fresh): Cases {
  return {
    'what is acknowledged does not come again, also when told twice': async () => {
      const world = await fresh();
      await world.queue.send([message('a'), message('b')]);
      const delivery = await receiveOne(world);
      await world.queue.ack(delivery);
      const next = await receiveOne(world);
      await world.queue.ack(delivery);
      expect(await world.queue.receive(1, 0)).toEqual([]); // `next` still holds the group
      await world.queue.ack(next);
      await world.pass(2 * world.visibilityMs);
      expect(await drain(world)).toEqual([]);
    },
    'what is not acknowledged in time comes again, in order and before the rest': async () => {
      const { queue, pass, visibilityMs, tickMs } = await fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      await queue.receive(2, 0);
      await pass(visibilityMs - tickMs);
      expect(await queue.receive(10, 0)).toEqual([]);
      await pass(tickMs);
      const again = await queue.receive(10, 0);
      expect(again.map(({ body, receives }) => [body, receives])).toEqual([
        ['a', 2],
        ['b', 2],
        ['c', 1],
      ]);
    },
    'an acknowledgement that is late does not end the work of another': async () => {
      const world = await fresh();
      await world.queue.send([message('a')]);
      const late = await receiveOne(world);
      await world.pass(world.visibilityMs);
      const again = await receiveOne(world);
      await world.queue.ack(late);
      await world.queue.release(late, 0);
      expect(await world.queue.receive(1, 0)).toEqual([]);
      await world.queue.release(again, 0);
      expect((await receiveOne(world)).receives).toBe(3);
    },
    'what is released comes again, before later messages of its group': async () => {
      const { queue } = await fresh();
      await queue.send(['a', 'b', 'c'].map((body) => message(body)));
      const [a, b] = await queue.receive(2, 0);
      await queue.release(b as Delivery, 0);
      await queue.release(a as Delivery, 0);
      expect(bodies(await queue.receive(10, 0))).toEqual(['a', 'b', 'c']);
    },
    'what is released with a delay comes after it': async () => {
      const world = await fresh();
      await world.queue.send([message('a'), message('b', 'other')]);
      const [a, b] = await world.queue.receive(2, 0);
      await world.queue.ack(b as Delivery);
      await world.queue.release(a as Delivery, 4 * world.unitMs);
      await world.pass(4 * world.unitMs - world.tickMs);
      expect(await drain(world)).toEqual([]);
      await world.pass(world.tickMs);
      expect(await receiveOne(world)).toMatchObject({ body: 'a', receives: 2 });
    },
    'what is released with a delay holds back nothing': async () => {
      const world = await fresh();
      await world.queue.send([message('a'), message('b')]);
      await world.queue.release(await receiveOne(world), 4 * world.unitMs);
      expect(await drain(world)).toEqual(['b']);
      await world.pass(4 * world.unitMs - world.tickMs);
      expect(await drain(world)).toEqual([]);
      await world.pass(world.tickMs);
      expect(await receiveOne(world)).toMatchObject({ body: 'a', receives: 2 });
    },
    'a message that is given back again and again ends as a dead letter': async () => {
      const world = await fresh();
      await world.queue.send([message('poison'), message('good')]);
      for (let i = 1; i <= MAX_RECEIVES; i++) {
        const delivery = await receiveOne(world);
        expect(delivery).toMatchObject({ body: 'poison', receives: i });
        if (i % 2) await world.queue.release(delivery, 0);
        else await world.pass(world.visibilityMs);
      }
      expect(await drain(world)).toEqual(['good']);
      expect(await world.queue.deadLetters(10)).toEqual([message('poison')]);
    },
    'a poison is found out though its equals keep coming': async () => {
      const world = await fresh();
      for (let i = 0; i < 2 * MAX_RECEIVES; i++) {
        await world.queue.send([message('poison')]);
        const delivery = await receiveOne(world);
        await world.queue.send([message('poison')]);
        await world.queue.release(delivery, 0);
      }
      expect(await world.queue.deadLetters(10)).not.toEqual([]);
    },
    'dead letters come oldest first, up to the number asked for': async () => {
      const world = await fresh();
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

function delayCases(fresh: Fresh): Cases {
  return {
    'a delayed message comes after its time, and does not hold back later ones': async () => {
      const world = await fresh();
      const delayMs = 3 * world.unitMs;
      await world.queue.send([{ ...message('late'), delayMs }, message('now')]);
      expect(await drain(world)).toEqual(['now']);
      await world.pass(delayMs - world.tickMs);
      expect(await drain(world)).toEqual([]);
      await world.pass(world.tickMs);
      expect(await drain(world)).toEqual(['late']);
    },
    'a delayed message keeps its group': async () => {
      const world = await fresh();
      await world.queue.send([{ ...message('late', 'its own group'), delayMs: world.unitMs }]);
      await world.pass(world.unitMs);
      expect(await receiveOne(world)).toMatchObject({ group: 'its own group', receives: 1 });
    },
    'delayed messages come in order of their times': async () => {
      const world = await fresh();
      const delays = [3, 1, 2, 1, 0].map((units) => units * world.unitMs);
      await world.queue.send(delays.map((ms, i) => ({ ...message(`m${i}`), delayMs: ms })));
      await world.pass(3 * world.unitMs);
      expect(await drain(world)).toEqual(['m4', 'm1', 'm3', 'm2', 'm0']);
    },
    'an immediate message does not wait for its delayed equal': async () => {
      const world = await fresh();
      await world.queue.send([{ ...message('a'), delayMs: 4 * world.unitMs }]);
      await world.queue.send([message('a')]);
      expect(await drain(world)).toEqual(['a']);
    },
    'a delayed message is not later than the earliest of its equals': async () => {
      const world = await fresh();
      for (const units of [5, 1, 9]) {
        await world.queue.send([{ ...message('a'), delayMs: units * world.unitMs }]);
      }
      await world.pass(world.unitMs);
      expect(await drain(world)).toEqual(['a']);
    },
  };
}

function waitCases(fresh: Fresh): Cases {
  return {
    'a receiver waits for the first message': async () => {
      const { queue, pass, unitMs } = await fresh();
      const waiting = queue.receive(10, 20 * unitMs);
      await pass(2 * unitMs);
      await queue.send([message('a')]);
      expect(bodies(await waiting)).toEqual(['a']);
    },
    'a receiver that waits gets all that is sent at once': async () => {
      const { queue, pass, unitMs } = await fresh();
      const waiting = queue.receive(10, 20 * unitMs);
      await pass(5 * unitMs);
      await queue.send([message('a'), message('b')]);
      expect(bodies(await waiting)).toEqual(['a', 'b']);
    },
    'a receiver that waits in vain gets nothing when its time is over': async () => {
      const { queue, pass, unitMs, tickMs } = await fresh();
      let hasEnded = false;
      const waiting = queue.receive(10, 4 * unitMs).finally(() => (hasEnded = true));
      await pass(4 * unitMs - tickMs);
      expect(hasEnded).toBe(false);
      await pass(tickMs);
      expect(await waiting).toEqual([]);
    },
    'a receiver is woken by a delayed message at its time, also by one sent later': async () => {
      const { queue, pass, unitMs } = await fresh();
      await queue.send([{ ...message('slow'), delayMs: 10 * unitMs }]);
      const waiting = queue.receive(10, 20 * unitMs);
      await pass(0);
      await queue.send([{ ...message('quick'), delayMs: 2 * unitMs }]);
      await pass(2 * unitMs);
      expect(bodies(await waiting)).toEqual(['quick']);
    },
    'a receiver is woken when a group becomes free': async () => {
      const world = await fresh();
      await world.queue.send([message('a'), message('b')]);
      const first = await receiveOne(world);
      const waiting = world.queue.receive(10, 20 * world.unitMs);
      await world.pass(0);
      await world.queue.ack(first);
      expect(bodies(await waiting)).toEqual(['b']);
    },
    'a receiver is woken by what another did not finish in time': async () => {
      const { queue, pass, visibilityMs } = await fresh();
      const receivers = [1, 2].map(() => queue.receive(10, 10 * visibilityMs));
      await pass(0);
      await queue.send([message('a')]);
      expect(bodies(await Promise.race(receivers))).toEqual(['a']);
      await pass(visibilityMs);
      expect((await Promise.all(receivers)).map(bodies)).toEqual([['a'], ['a']]);
    },
    'each of many receivers gets a group of its own': async () => {
      const { queue, pass, unitMs } = await fresh();
      const waiting = Array.from({ length: 5 }, () => queue.receive(1, 20 * unitMs));
      await pass(0);
      const groups = ['a', 'b', 'c', 'd', 'e'];
      await queue.send(groups.map((group) => message('work', group)));
      const batches = await Promise.all(waiting);
      expect(batches.flatMap((batch) => batch.map(({ group }) => group)).sort()).toEqual(groups);
    },
  };
}
