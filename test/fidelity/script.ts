/**
 * Requests as data, and what was answered: the shapes of requests/*.json and recordings/*.json, and
 * how they are read. Owns no meaning: who plays them is play.ts, what differs differences.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmulatorName } from '../aws/support/emulators.ts';

/** What is compared: AWS's services by their wire, and our ports above two of them. */
export const SUBJECTS = ['dynamodb', 'sqs', 'ecs', 'ec2', 'store', 'queue'] as const;
export type Subject = (typeof SUBJECTS)[number];

export const EMULATORS: readonly EmulatorName[] = ['ministack', 'moto'];

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** One request. `$name` is a name that was kept, or that the world begins with. */
export interface Request {
  /** Its name in the scenario. */
  readonly step: string;
  /** The operation, as AWS or the port calls it. */
  readonly call: string;
  /** A template that `input` is laid over. */
  readonly like?: string;
  readonly input?: JsonObject;
  /** Names for parts of the answer, by their paths in it. */
  readonly keep?: { readonly [name: string]: string };
}

/** Lets so many seconds pass, or what was begun come to rest, however long that takes. */
export type Step = Request | { readonly pass: number } | { readonly settle: true };

export interface Script {
  readonly templates?: { readonly [name: string]: JsonObject };
  /** Each in a world of its own. */
  readonly scenarios: { readonly [name: string]: readonly Step[] };
}

/** By scenario and step, `scenario / step`. */
export type Answers = { readonly [where: string]: Json };

export interface Recording {
  /** The versions that answered. */
  readonly of: { readonly [emulator in EmulatorName]: string };
  /** One answer where both gave it. */
  readonly answers: { readonly [where: string]: Recorded };
}

export type Recorded =
  { readonly both: Json } | { readonly [emulator in EmulatorName]: Json | undefined };

const read = (folder: string, subject: Subject): unknown =>
  JSON.parse(readFileSync(pathOf(folder, subject), 'utf8'));

export const pathOf = (folder: string, subject: Subject) =>
  join(import.meta.dirname, folder, `${subject}.json`);

export function scriptOf(subject: Subject): Script {
  return read('requests', subject) as Script;
}

export function recordingOf(subject: Subject): Recording {
  return read('recordings', subject) as Recording;
}

/** What one emulator answered. */
export function answersOf({ answers }: Recording, emulator: EmulatorName): Answers {
  const own = Object.entries(answers).map(([where, recorded]) => {
    const answer = 'both' in recorded ? recorded.both : recorded[emulator];
    return [where, answer ?? null] as const;
  });
  return Object.fromEntries(own);
}

/** The answers of both in one, for a file. */
export function merged(by: { readonly [emulator in EmulatorName]: Answers }): Recording['answers'] {
  const entries = Object.entries(by.ministack).map(([where, ministack]) => {
    const moto = by.moto[where] ?? null;
    const isSame = JSON.stringify(ministack) === JSON.stringify(moto);
    return [where, isSame ? { both: ministack } : { ministack, moto }] as const;
  });
  return Object.fromEntries(entries);
}
