/**
 * The types of instances that EC2 has, as of a day: `types.json`, written by
 * scripts/refresh-catalogue.ts. Owns what a type has; what it costs is prices.ts, where it is
 * offered is offerings.ts. What is not in here may exist: the catalogue is a snapshot.
 */
import type { InstanceType } from '../../../api/instance.ts';
import { decodeType } from './rows.ts';
import snapshot from './types.json' with { type: 'json' };

/** Where facts come from, and of what day they are. */
export interface About {
  readonly source: string;
  readonly date: string;
}

export const typesAbout: About = snapshot.about;

let decoded: ReadonlyMap<string, InstanceType> | undefined;

/** Lines become types when somebody asks: some milliseconds, once a process. */
function types(): ReadonlyMap<string, InstanceType> {
  decoded ??= new Map(
    snapshot.types.map((line) => {
      const type = decodeType(line);
      return [type.name, type] as const;
    }),
  );
  return decoded;
}

/** In the order of their names. */
export function allInstanceTypes(): readonly InstanceType[] {
  return [...types().values()];
}

/** Undefined for what was no type on that day. */
export function instanceType(name: string): InstanceType | undefined {
  return types().get(name);
}
