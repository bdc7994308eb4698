/** The counts that the document's figures are made of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Counts } from './meter.ts';

/** By how many pods. */
export type ByPods = { readonly [pods: string]: Counts };

export interface Recorded {
  /** What the functions' processor time was measured on. */
  readonly machine: string;
  /** For each pod, of Deployments of so many. */
  readonly deployment: ByPods;
  /** For each pod, of so many one after the other. */
  readonly bare: ByPods;
  /** For an hour, beside so many running pods. */
  readonly quietHour: ByPods;
}

export function readRecorded(): Recorded {
  const text = readFileSync(join(import.meta.dirname, 'counts.json'), 'utf8');
  return JSON.parse(text) as Recorded;
}
