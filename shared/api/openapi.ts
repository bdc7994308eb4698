/**
 * OpenAPI v3 documents, made from the registry and the schemas: what `kubectl explain` shows, how
 * `kubectl apply` learns merge keys, and how every kubectl finds out that writes can be validated
 * and tried without effect.
 */
import { RESOURCES, type ResourceType } from './resources.ts';
import type { Schema } from './schema.ts';

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

type Json = { readonly [field: string]: unknown };
type Definitions = { [name: string]: Json };

/** Each group and version that is served, in the order of the registry. */
export function groupVersions(): readonly GroupVersion[] {
  const seen = new Map<string, GroupVersion>();
  for (const { group, version } of RESOURCES) seen.set(`${group}/${version}`, { group, version });
  return [...seen.values()];
}

/**
 * The document of one group and version: its kinds, all they refer to, and the operations on them.
 */
export function openApiDocument(group: string, version: string): Json {
  const types = RESOURCES.filter((type) => type.group === group && type.version === version);
  const definitions: Definitions = { ...SCALARS };
  for (const type of types) {
    const name = type.schema.name ?? type.kind;
    define(type.schema, definitions);
    definitions[name] = { ...definitions[name], [GVK]: [kindOf(type)] };
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Nullplane', version },
    paths: Object.fromEntries(types.flatMap(pathsOf)),
    components: { schemas: definitions },
  };
}

const GVK = 'x-kubernetes-group-version-kind';
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const TIME = 'io.k8s.apimachinery.pkg.apis.meta.v1.Time';

const SCALARS: Definitions = {
  [QUANTITY]: {
    description: 'An amount: a number with an optional suffix, such as 500m or 2Gi.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  [INT_OR_STRING]: {
    description: 'A number, or a text such as a percentage or the name of a port.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  [TIME]: { description: 'A time in RFC 3339.', type: 'string', format: 'date-time' },
};

function kindOf({ group, version, kind }: ResourceType): Json {
  return { group, version, kind };
}

/** Adds the definition of a named object, and of all that it refers to. */
function define(schema: Schema, definitions: Definitions): void {
  const name = schema.name ?? '';
  if (Object.hasOwn(definitions, name)) return;
  definitions[name] = {};
  definitions[name] = structOf(schema, definitions);
}

function structOf(schema: Schema, definitions: Definitions): Json {
  const fields = Object.entries(schema.fields ?? {});
  const required = fields.filter(([, child]) => child.required).map(([field]) => field);
  return {
    ...described(schema),
    type: 'object',
    properties: Object.fromEntries(
      fields.map(([field, child]) => [field, propertyOf(child, definitions)]),
    ),
    ...(required.length > 0 && { required }),
    ...(schema.atomic && { 'x-kubernetes-map-type': 'atomic' }),
  };
}

function propertyOf(schema: Schema, definitions: Definitions): Json {
  // A named object is described where it is defined; kubectl explain would show both.
  const isNamed = schema.type === 'object' && schema.name !== undefined && schema.name !== '';
  return {
    ...(!isNamed && described(schema)),
    ...(schema.default !== undefined && { default: schema.default }),
    ...shapeOf(schema, definitions),
  };
}

function described({ doc, unsupported }: Schema): Json {
  const description = unsupported ? `${doc} Not in this release: ${unsupported}.` : doc;
  return description ? { description } : {};
}

function shapeOf(schema: Schema, definitions: Definitions): Json {
  switch (schema.type) {
    case 'string':
      return { type: 'string', ...(schema.enum && { enum: schema.enum }) };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'integer':
      return { type: 'integer', format: 'int64' };
    case 'number':
      return { type: 'number', format: 'double' };
    case 'boolean':
      return { type: 'boolean' };
    case 'time':
      return reference(TIME);
    case 'quantity':
      return reference(QUANTITY);
    case 'intOrString':
      return reference(INT_OR_STRING);
    case 'any':
      return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    case 'map':
      return mapOf(schema, definitions);
    case 'list':
      return listOf(schema, definitions);
    case 'object':
      return objectOf(schema, definitions);
  }
}

/** In OpenAPI 3.0 a reference excludes its neighbours, unless it is the only one of `allOf`. */
function reference(name: string): Json {
  return { allOf: [{ $ref: `#/components/schemas/${name}` }] };
}

function objectOf(schema: Schema, definitions: Definitions): Json {
  const strategy = schema.retainKeys && { 'x-kubernetes-patch-strategy': 'retainKeys' };
  if (!schema.name) return { ...structOf(schema, definitions), ...strategy };
  define(schema, definitions);
  return { ...reference(schema.name), ...strategy };
}

function mapOf(schema: Schema, definitions: Definitions): Json {
  return {
    type: 'object',
    additionalProperties: propertyOf(schema.items as Schema, definitions),
    ...(schema.atomic && { 'x-kubernetes-map-type': 'atomic' }),
  };
}

function listOf(schema: Schema, definitions: Definitions): Json {
  const { listKind = 'atomic', mapKeys, mergeKey, retainKeys } = schema;
  return {
    type: 'array',
    items: propertyOf(schema.items as Schema, definitions),
    'x-kubernetes-list-type': listKind,
    ...(listKind === 'map' && { 'x-kubernetes-list-map-keys': mapKeys }),
    ...(listKind === 'map' && { 'x-kubernetes-patch-merge-key': mergeKey }),
    ...(listKind !== 'atomic' && {
      'x-kubernetes-patch-strategy': retainKeys ? 'merge,retainKeys' : 'merge',
    }),
  };
}

function pathsOf(type: ResourceType): [string, Json][] {
  const root = type.group ? `/apis/${type.group}/${type.version}` : `/api/${type.version}`;
  const scope = type.namespaced ? `${root}/namespaces/{namespace}` : root;
  const collection = `${scope}/${type.plural}`;
  const item = `${collection}/{name}`;
  const paths: [string, Json][] = [
    [collection, operations(type, { get: 'list', post: 'create', delete: 'deletecollection' })],
    [item, operations(type, ITEM_METHODS)],
  ];
  if (type.namespaced) paths.push([`${root}/${type.plural}`, operations(type, { get: 'list' })]);
  if (type.subresources.includes('status')) {
    paths.push([`${item}/status`, operations(type, { get: 'get', put: 'update', patch: 'patch' })]);
  }
  return paths;
}

const ITEM_METHODS = { get: 'get', put: 'update', patch: 'patch', delete: 'delete' };

function operations(type: ResourceType, methods: { readonly [method: string]: string }): Json {
  const served = Object.entries(methods).filter(([, verb]) => type.verbs.includes(verb));
  return Object.fromEntries(
    served.map(([method, verb]) => [method, operationOf(type, method, verb)]),
  );
}

/** Kubernetes names deletions of a collection and creations as its clients expect to find them. */
const ACTIONS: { readonly [verb: string]: string } = { create: 'post', update: 'put' };

const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

function operationOf(type: ResourceType, method: string, verb: string): Json {
  const body = reference(type.schema.name ?? type.kind);
  const schema = { schema: (body['allOf'] as Json[])[0] };
  const patch = PATCH_TYPES.map((media) => [media, { schema: { type: 'object' } }]);
  const requests: { readonly [verb: string]: Json } = {
    create: { '*/*': schema },
    update: { '*/*': schema },
    patch: Object.fromEntries(patch) as Json,
  };
  const content = requests[verb];
  const answer = verb === 'list' ? {} : { content: { 'application/json': schema } };
  return {
    parameters: parametersOf(verb),
    ...(content && { requestBody: { required: true, content } }),
    responses: { [method === 'post' ? '201' : '200']: { description: 'OK', ...answer } },
    'x-kubernetes-action': ACTIONS[verb] ?? verb,
    [GVK]: kindOf(type),
  };
}

const query = (name: string, type: string, description: string) => ({
  name,
  in: 'query',
  description,
  schema: { type, uniqueItems: true },
});

const WRITE_PARAMETERS = [
  query('dryRun', 'string', 'All: do everything but store the result.'),
  query('fieldManager', 'string', 'Who owns the fields that this request sets.'),
  query('fieldValidation', 'string', 'Ignore, Warn or Strict: what happens to unknown fields.'),
];
const PATCH_PARAMETERS = [
  ...WRITE_PARAMETERS,
  query('force', 'boolean', 'Apply: take fields over from other managers.'),
];
const DELETE_PARAMETERS = [
  query('dryRun', 'string', 'All: do everything but delete.'),
  query('gracePeriodSeconds', 'integer', 'How long the object may take to stop.'),
  query('propagationPolicy', 'string', 'Orphan, Background or Foreground.'),
];
const LIST_PARAMETERS = [
  query('fieldSelector', 'string', 'Fields that objects must have.'),
  query('labelSelector', 'string', 'Labels that objects must have.'),
  query('limit', 'integer', 'The most objects to answer with.'),
  query('continue', 'string', 'Where the last answer ended.'),
  query('resourceVersion', 'string', 'How old the answer may be.'),
  query('watch', 'boolean', 'Answer with changes, as they come.'),
];

function parametersOf(verb: string): readonly Json[] {
  switch (verb) {
    case 'create':
    case 'update':
      return WRITE_PARAMETERS;
    case 'patch':
      return PATCH_PARAMETERS;
    case 'delete':
    case 'deletecollection':
      return DELETE_PARAMETERS;
    case 'list':
      return LIST_PARAMETERS;
    default:
      return [];
  }
}
