/**
 * What a client sent becomes a complete and valid object: decoding, defaults and validation, with
 * warnings kept.
 */
import { decode, type FieldValidation } from '../../api/decode.ts';
import { withDefaults } from '../../api/defaults.ts';
import { invalid } from '../../api/errors.ts';
import type { ParsedJson } from '../../api/json.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import { validateCreate, validateUpdate } from '../../api/validation/validate.ts';
import { type Context, warn } from './context.ts';
import type { GivenObject } from './metadata.ts';

export { withDefaults };

/**
 * Decodes a body by the schema of its type. Throws BadRequest; warns of what is unknown or not
 * honoured.
 */
export function decodeGiven(
  context: Context,
  type: ResourceType,
  { value, duplicates }: ParsedJson,
  mode: FieldValidation,
): GivenObject {
  const { object, warnings } = decode(type.schema, value, mode, duplicates);
  warn(context, ...warnings);
  return object as GivenObject;
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
