/**
 * What a schema alone can tell of an object: required fields are there, choices are among the known
 * ones. The other validators run after it and trust the types.
 */
import type { Schema } from '../schema.ts';
import type { Faults } from './faults.ts';

type Fields = { readonly [field: string]: unknown };

export function checkStructure(schema: Schema, value: unknown, field: string, faults: Faults) {
  if (schema.enum && !schema.enum.includes(value as string)) {
    faults.notSupported(field, value, schema.enum);
  }
  if (typeof value !== 'object' || value === null || !hasRules(schema)) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      checkStructure(schema.items as Schema, item, `${field}[${index}]`, faults);
    }
  } else if (schema.type === 'map') {
    for (const [key, item] of Object.entries(value)) {
      checkStructure(schema.items as Schema, item, `${field}[${key}]`, faults);
    }
  } else checkFields(schema, value as Fields, field, faults);
}

function checkFields(schema: Schema, value: Fields, field: string, faults: Faults): void {
  for (const [name, child] of ruledFields(schema)) {
    const path = field ? `${field}.${name}` : name;
    const given = value[name];
    if (given !== undefined) checkStructure(child, given, path, faults);
    else if (child.required) faults.required(path);
  }
}

/**
 * Per schema, the fields with a rule in or under them. Schemas never change, so it is worked out
 * once.
 */
const ruled = new WeakMap<Schema, readonly (readonly [string, Schema])[]>();

function ruledFields(schema: Schema): readonly (readonly [string, Schema])[] {
  let fields = ruled.get(schema);
  if (!fields) {
    fields = Object.entries(schema.fields ?? {}).filter(
      ([, child]) => child.required || child.enum || hasRules(child),
    );
    ruled.set(schema, fields);
  }
  return fields;
}

function hasRules(schema: Schema): boolean {
  if (schema.type === 'object') return ruledFields(schema).length > 0;
  return schema.items !== undefined && (schema.items.enum !== undefined || hasRules(schema.items));
}
