/**
 * Faults as data: which kind, at which of its opportunities, and what begins with it. A run is its
 * seed and its list of faults, so that a list can be written down, cut short and played again.
 */
import { type FaultKind, INCIDENTS, type Incident, isFaultKind } from './catalogue.ts';

export interface Fault {
  readonly kind: FaultKind;
  /** The first opportunity of a kind is 1. */
  readonly at: number;
  /** What begins at the same moment. */
  readonly with?: Incident;
}

/** `crashAfter@12`, or `crashAfter@12+blackout`. */
export function textOf({ kind, at, with: incident }: Fault): string {
  return `${kind}@${at}${incident ? `+${incident}` : ''}`;
}

/** Throws on what is no fault. */
export function parseFault(text: string): Fault {
  const [, kind = '', at, incident] = /^(\w+)@(\d+)(?:\+(\w+))?$/.exec(text) ?? [];
  if (!isFaultKind(kind)) throw new Error(`no such fault: ${text}`);
  if (incident === undefined) return { kind, at: Number(at) };
  const found = INCIDENTS.find((one) => one === incident);
  if (!found) throw new Error(`nothing lasts that is called ${incident}`);
  return { kind, at: Number(at), with: found };
}

export function parseFaults(text: string): readonly Fault[] {
  return text === '' ? [] : text.split(',').map(parseFault);
}

export function listOf(faults: readonly Fault[]): string {
  return faults.map(textOf).join(',');
}
