/**
 * Manifests from files, as the server would have them. Owns files and documents; what is wrong with
 * an object is said in Kubernetes' words, with the file and the document's number.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { AnyObject } from '../shared/api/meta.ts';
import { hash64 } from '../shared/api/hash.ts';
import {
  type Admitted,
  admitManifest,
  typeOfManifest,
} from '../shared/control/apiserver/offline.ts';
import { parseYaml } from '../shared/control/apiserver/yaml.ts';
import { UsageError } from './io.ts';

export interface Manifest extends Admitted {
  /** `file` or `file, document 2`, for people. */
  readonly at: string;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** What is wrong, a line each. */
  readonly errors: readonly string[];
}

const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);
/** More than these are a mistake. */
const MAX_FILES = 1_000;
/** Begins another document. */
const SEPARATOR = /^---(?:[ \t].*)?$/m;

export interface ReadOptions {
  readonly namespace: string;
  readonly nowMs: number;
}

export function readManifests(paths: readonly string[], options: ReadOptions): Manifests {
  const manifests: Manifest[] = [];
  const errors: string[] = [];
  for (const path of paths.flatMap(filesIn)) {
    for (const { at, text } of documentsOf(path)) {
      try {
        manifests.push(...admitted(text, at, options));
      } catch (error) {
        errors.push(`error in ${at}: ${(error as Error).message}`);
      }
    }
  }
  return { manifests, errors };
}

/** As `kubectl apply -f` reads a folder: its own files, by name. */
function filesIn(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => EXTENSIONS.has(extname(name)));
    if (names.length > MAX_FILES) throw new UsageError(`${path} has more than ${MAX_FILES} files`);
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`the path ${path} can not be read: ${(error as Error).message}`);
  }
}

interface Document {
  readonly at: string;
  readonly text: string;
}

function documentsOf(path: string): readonly Document[] {
  const texts = readFileSync(path, 'utf8').split(SEPARATOR);
  const filled = texts.filter((text) => !isEmpty(text));
  const isOne = filled.length === 1;
  return filled.map((text, i) => ({ at: isOne ? path : `${path}, document ${i + 1}`, text }));
}

/** Nothing but comments. */
function isEmpty(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(?:#.*)?$/.test(line));
}

function admitted(text: string, at: string, options: ReadOptions): readonly Manifest[] {
  const parsed = parseYaml(text);
  const items = itemsOf(parsed.value);
  const all = items ? items.map((value) => ({ value, duplicates: [] })) : [parsed];
  return all.map((one) => {
    const admission = admitManifest(one, { ...options, uid: 'planned' });
    return { ...admission, object: identified(admission), at };
  });
}

/** Of a List. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  const { kind, items } = (value ?? {}) as { kind?: unknown; items?: unknown };
  if (kind !== 'List' || !Array.isArray(items)) return undefined;
  for (const item of items) typeOfManifest(item);
  return items as readonly unknown[];
}

/** Uids follow from what an object is called, so that two plans of the same are the same. */
function identified({ type, object }: Admitted): AnyObject {
  const { namespace = '', name } = object.metadata;
  const uid = hash64(`${type.name}/${namespace}/${name}`).toString(16);
  return { ...object, metadata: { ...object.metadata, uid, resourceVersion: '1' } };
}
