/**
 * What a client sent becomes a complete and valid object: decoding, defaults and validation, with
 * warnings kept.
 */
import { decode, type Decoded, type FieldValidation } from '../../api/decode.ts';
import { withDefaults } from '../../api/defaults.ts';
import { invalid } from '../../api/errors.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import { validateCreate, validateUpdate } from '../../api/validation/validate.ts';
import type { ParsedBody } from './body.ts';
import { type Context, warn } from './context.ts';
import type { GivenObject } from './metadata.ts';
import { publicForm } from './representation.ts';

export { withDefaults };

/**
 * Decodes a body by the schema of its type. Throws BadRequest. What protobuf holds under numbers
 * that nobody knows is warned of but never refused, as in Kubernetes: it may be an empty field of a
 * later version.
 */
export function decodeGiven(
  { schema }: ResourceType,
  { value, duplicates, unread = [] }: ParsedBody,
  mode: FieldValidation,
): Decoded<GivenObject> {
  const decoded = decode(schema, value, mode, duplicates) as Decoded<GivenObject>;
  if (mode === 'Ignore') return decoded;
  return { ...decoded, warnings: [...unread, ...decoded.warnings] };
}

/**
 * Warns of what is unknown or not honoured in what was given, but not of what the object had
 * already: whoever sets a label need not hear again of a field that somebody else set.
 */
export function warnOfNews(
  context: Context,
  { schema }: ResourceType,
  { warnings }: Decoded<GivenObject>,
  current: AnyObject | undefined,
): void {
  if (warnings.length === 0) return;
  const old = current ? decode(schema, publicForm(current), 'Ignore').warnings : [];
  warn(context, ...warnings.filter((warning) => !old.includes(warning)));
}

/** The object itself if nothing is wrong with it. Throws Invalid with every cause. */
export function validated(
  type: ResourceType,
  object: AnyObject,
  current: AnyObject | undefined,
): AnyObject {
  const causes = current ? validateUpdate(type, object, current) : validateCreate(type, object);
  if (causes.length > 0) throw invalid(type, object.metadata.name, causes);
  return object;
}
