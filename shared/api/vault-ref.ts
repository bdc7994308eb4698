/**
 * What is stored of a Secret in place of its values: the names under which a vault keeps them.
 * Holds no values, and no digests of values either: one of a weak password could be guessed from.
 */
import type { KubeObject } from './meta.ts';
import type { SecretFileRef } from './task.ts';

export interface VaultRef {
  /** Begins the name of every part; unique for each write, so that no content is ever replaced. */
  readonly id: string;
  readonly entries: readonly VaultEntry[];
}

/** How the value of a key is kept. */
export interface VaultEntry {
  readonly key: string;
  /** The parts, joined in order, are the value in UTF-8, or its base64. */
  readonly encoding: 'text' | 'base64';
  /** What follows the id in each part's name; none when the value is empty. */
  readonly parts: readonly string[];
}

/** What the control plane remembers of a Secret whose values are in a vault. */
export interface SecretControl {
  readonly vault?: VaultedValues;
}

export interface VaultedValues {
  readonly ref: VaultRef;
  /** The content before: launches under way may still ask for it until this time. */
  readonly previous?: { readonly ref: VaultRef; readonly untilMs: number };
}

/** Where the object's values are; undefined when they are in the object itself, if it has any. */
export function vaultedValues(object: KubeObject): VaultedValues | undefined {
  return (object.control as SecretControl | undefined)?.vault;
}

export function partName(ref: VaultRef, part: string): string {
  return `${ref.id}/${part}`;
}

/** The names of all parts of a content. */
export function partNames(ref: VaultRef): readonly string[] {
  return ref.entries.flatMap(({ parts }) => parts.map((part) => partName(ref, part)));
}

/** What a runtime is given to get a key's value by; undefined for a value that is empty. */
export function secretFileRef(ref: VaultRef, key: string): SecretFileRef | undefined {
  const entry = ref.entries.find((candidate) => candidate.key === key);
  if (!entry || entry.parts.length === 0) return undefined;
  const { encoding, parts } = entry;
  return { encoding, parts: parts.map((part) => partName(ref, part)) };
}
