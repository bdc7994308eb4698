/**
 * EventBridge: what happens, as envelopes, delivered as well or as badly as the settings say. The
 * envelope's `version` is always "0"; the one that orders changes is `detail.version`.
 * Source: ecs_cwe_events, ecs_cwet_handling (aws-semantics.md 3.1, 3.8).
 */
import type { Delivery } from './settings.ts';
import { draw, hex, type Random, type Timers } from './timers.ts';

export interface Envelope {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: 'aws.ecs' | 'aws.ec2';
  readonly account: string;
  /** ISO, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export type EventBody = Pick<Envelope, 'detail-type' | 'source' | 'resources' | 'detail'>;

export interface EventsOptions {
  readonly timers: Timers;
  readonly random: Random;
  readonly region: string;
  readonly accountId: string;
  readonly delivery: Delivery;
  readonly emit: (event: Envelope) => void;
}

export class Events {
  readonly #options: EventsOptions;
  delivery: Delivery;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.delivery = options.delivery;
  }

  tell(body: EventBody): void {
    const { timers, random, region, accountId } = this.#options;
    const event: Envelope = {
      version: '0',
      id: uuid(random),
      account: accountId,
      time: `${new Date(timers.nowMs()).toISOString().slice(0, 19)}Z`,
      region,
      ...body,
      // As JSON: times are ISO strings here, and numbers in answers.
      detail: JSON.parse(JSON.stringify(body.detail)) as Envelope['detail'],
    };
    if (random.fraction() < this.delivery.lost) return;
    this.#deliver(event);
    if (random.fraction() < this.delivery.doubled) this.#deliver(event);
  }

  #deliver(event: Envelope): void {
    const { timers, random, emit } = this.#options;
    const late = random.fraction() < this.delivery.late ? draw(this.delivery.lateMs, random) : 0;
    // Also without a delay: who is told may call the model, and that must not be in mid-step.
    timers.in(draw(this.delivery.delayMs, random) + late, () => emit(event));
  }
}

function uuid(random: Random): string {
  const digits = hex(random, 32);
  const parts = [8, 12, 16, 20].map((end, i) => digits.slice([0, 8, 12, 16][i], end));
  return [...parts, digits.slice(20)].join('-');
}
