/**
 * Registers task definitions by the name of their content: once each, slowly. Two processes that
 * register one at the same time make two equal revisions, which is harmless.
 */
import {
  DescribeTaskDefinitionCommand,
  type ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import { calling, refusal } from './errors.ts';
import type { Rates } from './rates.ts';
import type { Definition } from './task-definition.ts';

/** More shapes than one process launches while it lives; the oldest are asked for again. */
const MAX_REMEMBERED = 5_000;

export class Definitions {
  readonly #ecs: ECSClient;
  readonly #rates: Rates;
  readonly #known = new Map<string, Promise<void>>();

  constructor(ecs: ECSClient, rates: Rates) {
    this.#ecs = ecs;
    this.#rates = rates;
  }

  /** Throws `RuntimeUnavailable`, `TaskRejected`. */
  async ensure(family: string, definition: Definition): Promise<void> {
    const known = this.#known.get(family) ?? this.#remember(family, definition);
    await known;
  }

  forget(family: string): void {
    this.#known.delete(family);
  }

  #remember(family: string, definition: Definition): Promise<void> {
    const making = this.#make(family, definition);
    this.#known.set(family, making);
    making.catch(() => this.forget(family));
    const oldest = this.#known.keys().next();
    if (this.#known.size > MAX_REMEMBERED && !oldest.done) this.forget(oldest.value);
    return making;
  }

  async #make(family: string, definition: Definition): Promise<void> {
    if (await this.#exists(family)) return;
    await this.#rates.register.take();
    const command = new RegisterTaskDefinitionCommand({ ...definition, family });
    try {
      await calling(() => this.#ecs.send(command));
    } catch (error) {
      throw refusal(error);
    }
  }

  async #exists(family: string): Promise<boolean> {
    await this.#rates.read.take();
    const command = new DescribeTaskDefinitionCommand({ taskDefinition: family });
    try {
      const { taskDefinition } = await calling(() => this.#ecs.send(command));
      return taskDefinition?.status !== 'INACTIVE';
    } catch (error) {
      // ECS's word for "there is none".
      if (error instanceof Error && error.name === 'ClientException') return false;
      throw refusal(error);
    }
  }
}
