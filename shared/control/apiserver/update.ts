/**
 * Changes: read, change, check, write if nobody else has written. Owns what a change may touch on
 * which subresource, generation, no-op suppression, and retries of changes that name no version.
 *
 * Invariants:
 *  U1 A write to an object leaves its status alone; a write to its status leaves all else alone.
 *  U2 `control` and the server's metadata come from the stored object, whatever was sent.
 *  U3 What changes nothing is not written.
 *  U4 A change that names a version is applied to that version or refused.
 *  U5 What can't be read is replaced as a whole or not at all: a change of a part would store what
 *     stands in for the rest as if somebody had meant it.
 */
import { conflict, invalid, notFound } from '../../api/errors.ts';
import { expectedOf } from '../../api/change.ts';
import { sameJson } from '../../api/hash.ts';
import type { ApiResponse } from '../../api/http.ts';
import type { AnyObject, ObjectKey } from '../../api/meta.ts';
import { faultOf } from '../../api/well-formed.ts';
import { mayBeRemoved } from '../../core/deletion.ts';
import { Conflict } from '../../ports/store.ts';
import { admitUpdate } from './admission.ts';
import { answerObject } from './answers.ts';
import { parseBody } from './body.ts';
import type { Context } from './context.ts';
import { decodeGiven, validated, warnOfNews, withDefaults } from './input.ts';
import {
  changedMetadata,
  checkExpectations,
  checkIdentity,
  type GivenObject,
  hasSpec,
} from './metadata.ts';
import { type WriteOptions, writeOptions } from './options.ts';
import { ownedAfterUpdate } from './ownership.ts';
import type { ResourceRoute } from './routes.ts';

/** Another writer may win a few times in a row; more often than this is no accident. */
const MAX_ATTEMPTS = 8;

export async function update(context: Context, route: ResourceRoute): Promise<ApiResponse> {
  const options = writeOptions(context);
  const body = parseBody(context.request);
  const decoded = decodeGiven(route.type, body, options.fieldValidation);
  checkIdentity(decoded.object, route);
  const updated = await change(context, route, options, (current) => {
    warnOfNews(context, route.type, decoded, current);
    return { given: decoded.object, isWhole: !route.subresource };
  });
  return answerObject(context, route.type, updated, 200);
}

/** What a client wants an object to become. */
export interface Proposal {
  readonly given: GivenObject;
  /**
   * The object's managedFields, where the change has worked them out itself (server-side apply).
   */
  readonly managedFields?: AnyObject['metadata']['managedFields'];
  /** All that people say of the object, and no part of what is stored. */
  readonly isWhole?: boolean;
}

export type Propose = (current: AnyObject) => Proposal | Promise<Proposal>;

/** Applies a change to the object of the route and answers with what is stored then. */
export async function change(
  context: Context,
  route: ResourceRoute,
  options: WriteOptions,
  propose: Propose,
): Promise<AnyObject> {
  for (let attempt = 1; ; attempt++) {
    const stored = await existing(context, route);
    const proposal = await propose(stored);
    const current = replaceable(route, stored, proposal);
    checkExpectations(route.type, current, proposal.given.metadata ?? {});
    const next = await changed(context, route, options, current, proposal);
    if (next === current || options.dryRun) return next;
    try {
      return await write(context, route, current, next);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      // A proposal that names a version fails the check above when it comes round (U4).
      if (attempt === MAX_ATTEMPTS) throw conflict(route.type, route.name);
    }
  }
}

/** U5. A copy is not taken for what stands in for something (`asStored`). */
function replaceable(route: ResourceRoute, stored: AnyObject, proposal: Proposal): AnyObject {
  const fault = faultOf(stored);
  if (fault === undefined) return stored;
  if (proposal.isWhole) return structuredClone(stored);
  const message = `Invalid value: ${UNREADABLE}`;
  throw invalid(route.type, route.name, [{ reason: 'FieldValueInvalid', message, field: fault }]);
}

const UNREADABLE =
  'what is stored is not of its form, so that it cannot be changed in part: replace the whole ' +
  'object (kubectl replace), or delete it';

export function keyOfRoute({ type, namespace, name }: ResourceRoute): ObjectKey {
  return { resource: type.name, namespace, name };
}

/** The object of the route; 404 when there is none. */
export async function existing(context: Context, route: ResourceRoute): Promise<AnyObject> {
  const current = await context.deps.store.get(keyOfRoute(route));
  if (!current) throw notFound(route.type, route.name);
  return current;
}

/**
 * The object that the proposal makes of the current one; the current one itself when nothing
 * changes.
 */
async function changed(
  context: Context,
  route: ResourceRoute,
  options: WriteOptions,
  current: AnyObject,
  proposal: Proposal,
): Promise<AnyObject> {
  const { type, subresource } = route;
  const merged = withDefaults(type, mergedFor(subresource, current, proposal.given));
  const admitted = await admitUpdate(context, type, merged, current, subresource);
  const counted = withGeneration(route, admitted, current);
  const next = validated(type, counted, current);
  const owned =
    proposal.managedFields === undefined
      ? ownedAfterUpdate(context, route, next, current, options)
      : { ...next, metadata: { ...next.metadata, managedFields: proposal.managedFields } };
  return isSame(owned, current) ? current : owned;
}

/** U1 and U2: which parts are taken from what was sent. */
function mergedFor(subresource: string, current: AnyObject, given: GivenObject): AnyObject {
  if (subresource === 'status') return withStatus(current, given);
  if (subresource === 'finalize') return { ...current, spec: given['spec'] ?? {} };
  const { status: _sent, control: _private, ...rest } = given;
  const { apiVersion, kind, metadata, status, control } = current;
  return {
    ...rest,
    apiVersion,
    kind,
    metadata: changedMetadata(metadata, given),
    ...(status !== undefined && { status }),
    ...(control !== undefined && { control }),
  };
}

/** Annotations go with a status, as in Kubernetes: some controllers keep their notes there. */
function withStatus(current: AnyObject, given: GivenObject): AnyObject {
  const { annotations: _stored, ...metadata } = current.metadata;
  const annotations = given.metadata?.annotations ?? current.metadata.annotations;
  const status = given['status'] ?? {};
  return { ...current, metadata: { ...metadata, ...(annotations && { annotations }) }, status };
}

function withGeneration(
  { type, subresource }: ResourceRoute,
  next: AnyObject,
  current: AnyObject,
): AnyObject {
  if (subresource === 'status' || !hasSpec(type)) return next;
  if (sameJson(next['spec'], current['spec'])) return next;
  const generation = (current.metadata.generation ?? 0) + 1;
  return { ...next, metadata: { ...next.metadata, generation } };
}

/** When fields were last owned is no change of the object. */
function isSame(next: AnyObject, current: AnyObject): boolean {
  return sameJson(withoutTimes(next), withoutTimes(current));
}

function withoutTimes(object: AnyObject): AnyObject {
  const { managedFields, ...metadata } = object.metadata;
  if (!managedFields) return { ...object, metadata };
  const untimed = managedFields.map(({ time: _time, ...entry }) => entry);
  return { ...object, metadata: { ...metadata, managedFields: untimed } };
}

/** Writes the object, or removes it when the change took away the last thing that held it. */
async function write(
  { deps }: Context,
  route: ResourceRoute,
  current: AnyObject,
  next: AnyObject,
): Promise<AnyObject> {
  const { store, clock } = deps;
  if (!mayBeRemoved(route.type.name, next, clock.nowMs()))
    return store.update(route.type.name, next);
  await store.remove(keyOfRoute(route), expectedOf(current));
  return next;
}
