/**
 * Which objects a list, watch or deletecollection is about: label and field selectors of a query.
 * Owns which fields can be selected; api/selectors.ts owns the syntax.
 */
import { badRequest } from '../../api/errors.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { ResourceType } from '../../api/resources.ts';
import {
  type FieldTerm,
  matchesQuery,
  parseFieldSelector,
  parseLabelSelector,
} from '../../api/selectors.ts';
import type { ListQuery } from '../../ports/store.ts';
import type { ResourceRoute } from './routes.ts';

export interface Selection {
  readonly matches: (object: AnyObject) => boolean;
  /** Nothing is selected by: everything matches. */
  readonly all: boolean;
  /** An object that matches once matches for ever: it is selected by name or namespace only. */
  readonly fixed: boolean;
  /** The one name that can match, where it is known. */
  readonly name?: string;
  /** A store index that narrows the search. */
  readonly index?: NonNullable<ListQuery['index']>;
  /** Of events: the one name that the object can have that they are about. */
  readonly about?: string;
}

const ALWAYS = ['metadata.name', 'metadata.namespace'];

/** The further fields that can be selected by, as in Kubernetes. */
const SELECTABLE: { readonly [resource: string]: readonly string[] } = {
  pods: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  secrets: ['type'],
  nodes: ['spec.unschedulable'],
  namespaces: ['status.phase'],
  services: ['spec.clusterIP', 'spec.type'],
  'replicasets.apps': ['status.replicas'],
};

/**
 * The selection of a query. Throws BadRequest for selectors that don't parse or fields that can't
 * be selected.
 */
export function selectionOf(query: URLSearchParams, route: ResourceRoute): Selection {
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
  const terms = route.name ? [...fields, nameTerm(route.name)] : fields;
  for (const { path } of terms) checkField(route.type, path);
  const name = equalTo(terms, 'metadata.name');
  const node = route.type.name === 'pods' ? equalTo(terms, 'spec.nodeName') : undefined;
  const isOfEvents = route.type.name === 'events';
  const about = isOfEvents ? equalTo(terms, 'involvedObject.name') : undefined;
  return {
    matches: (object) =>
      matchesQuery(labels, object.metadata.labels) && terms.every((term) => meets(object, term)),
    all: labels.length + terms.length === 0,
    fixed: labels.length === 0 && terms.every(({ path }) => ALWAYS.includes(path)),
    ...(name !== undefined && { name }),
    ...(about !== undefined && { about }),
    ...(node !== undefined && { index: { name: 'node', value: node } as const }),
  };
}

function nameTerm(name: string): FieldTerm {
  return { path: 'metadata.name', operator: '=', value: name };
}

function checkField(type: ResourceType, path: string): void {
  if (ALWAYS.includes(path) || SELECTABLE[type.name]?.includes(path)) return;
  throw badRequest(`field label not supported: ${path}`);
}

function equalTo(terms: readonly FieldTerm[], path: string): string | undefined {
  return terms.find((term) => term.path === path && term.operator === '=')?.value;
}

function meets(object: AnyObject, { path, operator, value }: FieldTerm): boolean {
  return (fieldText(object, path) === value) === (operator === '=');
}

/**
 * The field as text; an absent one is '' (or false, or 0: what Kubernetes' zero value prints as).
 */
function fieldText(object: AnyObject, path: string): string {
  const found = path === 'source' ? componentOf(object) : fieldAt(object, path);
  if (typeof found === 'string') return found;
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  return BOOLEANS.has(path) ? 'false' : '';
}

const BOOLEANS = new Set(['spec.unschedulable', 'spec.hostNetwork']);

function fieldAt(object: AnyObject, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    return isObject ? (value as { [key: string]: unknown })[key] : undefined;
  }, object);
}

const componentOf = (event: AnyObject) => fieldAt(event, 'source.component');
