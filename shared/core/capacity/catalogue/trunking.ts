/**
 * How many tasks with an interface of their own a type takes where ECS gives it a trunk interface
 * (the account setting `awsvpcTrunking`). There is no API that says so: `trunking.json` has the
 * table of the ECS Developer Guide, kept by hand, families with the same limits together. Not in it
 * are families and types that the guide calls unsupported, though some stand in its table, and
 * i4i, whose figures there can't be right (-2 for i4i.large).
 */
import { familyAndSize } from './families.ts';
import snapshot from './trunking.json' with { type: 'json' };

interface Limits {
  readonly families: readonly string[];
  /** Of these families, types that ECS gives no trunk. */
  readonly except: readonly string[];
  readonly tasks: { readonly [size: string]: number };
}

export const trunkingAbout: { readonly source: string; readonly date: string } = snapshot.about;

const LIMITS: readonly Limits[] = snapshot.limits;

/** Undefined where the guide says nothing, or that there is no trunk. */
export function trunkedTasks(type: string): number | undefined {
  const [family, size] = familyAndSize(type);
  const limits = LIMITS.find(({ families }) => families.includes(family));
  return limits?.except.includes(type) ? undefined : limits?.tasks[size];
}
