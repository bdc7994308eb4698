/**
 * A scenario as it is played: each line echoed, and below it what it led to. Decisions are told as
 * they are taken, under the virtual time since the beginning.
 */
import { EPOCH_MS, macrotask } from '../world/agenda.ts';
import { keyOf } from '../../shared/api/change.ts';
import type { AnyController } from '../../shared/control/controller.ts';
import type { Effects } from '../../shared/control/effects.ts';
import type { ObjectKey } from '../../shared/api/meta.ts';
import type { Plan } from '../../shared/core/plan.ts';
import { send } from '../world/client.ts';
import { namespace } from '../world/manifests.ts';
import { handlerOf } from '../world/process.ts';
import { type Parts, World } from '../world/world.ts';
import { COMMANDS } from './commands.ts';
import { actionLine, Mirror, planLines } from './decisions.ts';
import { type Line, parseScript } from './script.ts';

/** When nothing is due within this time, the world has settled for the moment. */
const QUIET_MS = 20_000;
/** Nothing settles for longer. */
const SETTLE_MS = 30 * 60_000;

export class Session {
  readonly world: World;
  readonly mirror = new Mirror();
  #printed: string[] = [];

  constructor() {
    this.world = new World({
      seed: 'golden',
      machines: true,
      alter: (parts) => this.#observe(parts),
      onChange: ({ type, resource, object }) =>
        this.mirror.set(keyOf(resource, object), type === 'put' ? object : undefined),
    });
  }

  async play(script: string): Promise<string> {
    await this.world.start();
    await send(this.world.api, {
      method: 'POST',
      path: '/api/v1/namespaces',
      body: namespace('default'),
    });
    await this.settle();
    this.#printed = []; // how a namespace gets what it must have is not what scenarios are about
    for (const line of parseScript(script)) await this.#playLine(line);
    return `${this.#printed.join('\n')}\n`;
  }

  print(text: string): void {
    this.#printed.push(...text.split('\n'));
  }

  /** Lets this much time pass. */
  async pass(ms: number): Promise<void> {
    const { agenda } = this.world;
    await agenda.runUntil(agenda.nowMs + ms);
  }

  /** Lets time pass until nothing is due soon. */
  async settle(): Promise<void> {
    const { agenda } = this.world;
    const deadlineMs = agenda.nowMs + SETTLE_MS;
    await macrotask();
    for (;;) {
      const next = agenda.nextAtMs();
      if (next === undefined || next > agenda.nowMs + QUIET_MS || next > deadlineMs) return;
      await agenda.step();
    }
  }

  async #playLine(line: Line): Promise<void> {
    if (line.type === 'comment') return this.print(line.text);
    this.print(`$ ${line.text}`);
    const [verb = '', ...args] = line.words;
    const command = COMMANDS[verb];
    if (!command) throw new Error(`no such command: ${verb}`);
    await command(this, args, line.document);
  }

  /** Has every decision told before it is carried out. */
  #observe(parts: Parts): Parts {
    return {
      ...parts,
      controllers: parts.controllers.map((controller) => this.#observed(controller)),
      effects: (effects, process) => {
        const handler = handlerOf(process);
        const own = parts.effects(effects, process);
        const isTold = handler === 'schedule' || handler === 'health';
        return isTold ? this.#observedEffects(own, handler) : own;
      },
    };
  }

  #observed(controller: AnyController): AnyController {
    const keys = new WeakMap<object, ObjectKey>();
    return {
      ...controller,
      snapshot: async (asked, read) => {
        const snapshot = (await controller.snapshot(asked, read)) as object | undefined;
        if (snapshot) keys.set(snapshot, asked);
        return snapshot;
      },
      plan: (snapshot: object, nowMs) => {
        const plan: Plan = controller.plan(snapshot, nowMs);
        const key = keys.get(snapshot);
        const who = `${controller.name} ${key?.name ?? ''}`;
        this.#tell(who, planLines(plan, this.mirror.get, key));
        return plan;
      },
    };
  }

  /**
   * The scheduler and the health handler decide within their handlers: what they write tells of it.
   */
  #observedEffects(effects: Effects, handler: string): Effects {
    const { store } = effects;
    const tell: Effects['store'] = {
      ...store,
      create: (resource, object) => {
        const action = { kind: 'create', resource, object: object as never } as const;
        this.#tell(handler, [actionLine(action, this.mirror.get)]);
        return store.create(resource, object);
      },
      update: (resource, object) => {
        const action = { kind: 'update', resource, object: object as never } as const;
        this.#tell(handler, [actionLine(action, this.mirror.get)]);
        return store.update(resource, object);
      },
    };
    return { ...effects, store: tell };
  }

  #tell(who: string, lines: readonly string[]): void {
    for (const line of lines) {
      // Events are what `get events` is for.
      if (/^(create events|update events|tell) /.test(line)) continue;
      const seconds = Math.round((this.world.agenda.nowMs - EPOCH_MS) / 100) / 10;
      this.print(`  ${`${seconds}s`.padStart(7)}  ${who}: ${line}`);
    }
  }
}
