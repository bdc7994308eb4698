/**
 * Authorization: who may do what. Owns the built-in groups, the default (nobody, nothing) and the
 * words of a refusal. Does not own who is in a group: principals.ts does.
 *
 * A group is a role, for the whole cluster (`nullplane:edit`) or for one namespace
 * (`nullplane:edit:shop`). What a role may do is one table; what is not in it is forbidden.
 *
 * Invariants:
 *  Z1 Groups only add: what one group allows, no further group takes away.
 *  Z2 A group of one namespace reaches no other, and nothing at the cluster scope.
 *  Z3 Nobody but system:masters writes or reads secrets in kube-system, runs commands there, or
 *     writes anywhere in all namespaces at once: who is who is stored there.
 *  Z4 The answer depends on the request alone, never on what is stored: a refusal tells nothing of
 *     whether the object exists.
 */
import { ApiError, forbidden } from '../../api/errors.ts';
import type { User } from '../../api/http.ts';
import { RESOURCES, type ResourceType } from '../../api/resources.ts';
import type { Attributes, Context } from './context.ts';

/** Its members may do anything, as in Kubernetes. */
export const MASTERS = 'system:masters';
/** Everybody who is known. */
export const AUTHENTICATED = 'system:authenticated';
/** Where the installation keeps what it trusts, such as who is who. */
export const SYSTEM_NAMESPACE = 'kube-system';

const GROUP_PREFIX = 'nullplane:';
/** The namespaces that every cluster has: they are made by the server, and stay. */
const BUILT_IN_NAMESPACES = new Set(['default', 'kube-public', SYSTEM_NAMESPACE]);

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const ALL = [...READ, ...WRITE];

/** Verbs by the name of a type, or by that and a subresource. */
type Rules = { readonly [target: string]: readonly string[] };

const VIEW: Rules = {
  configmaps: READ,
  events: READ,
  pods: READ,
  'pods/log': ['get'],
  'pods/decision': ['get'],
  'pods/status': ['get'],
  serviceaccounts: READ,
  services: READ,
  'services/status': ['get'],
  'deployments.apps': READ,
  'deployments.apps/scale': ['get'],
  'deployments.apps/status': ['get'],
  'replicasets.apps': READ,
  'replicasets.apps/scale': ['get'],
  'replicasets.apps/status': ['get'],
  'endpointslices.discovery.k8s.io': READ,
  'poddisruptionbudgets.policy': READ,
  'poddisruptionbudgets.policy/status': ['get'],
  'podgroups.scheduling.x-k8s.io': READ,
  'podgroups.scheduling.x-k8s.io/status': ['get'],
  // Of the cluster itself, for those whose group is for all of it.
  namespaces: READ,
  'namespaces/status': ['get'],
  nodes: READ,
  'nodes/status': ['get'],
  'nodepools.karpenter.sh': READ,
  'nodepools.karpenter.sh/status': ['get'],
  'nodeclaims.karpenter.sh': READ,
  'nodeclaims.karpenter.sh/status': ['get'],
  'priorityclasses.scheduling.k8s.io': READ,
  'nodeallocations.nullplane.io': READ,
};

/**
 * As in Kubernetes, who may make pods may read every Secret of the namespace, by way of a pod. Not
 * given: bindings (the scheduler's), status and finalizers (the controllers').
 */
const EDIT: Rules = {
  ...VIEW,
  configmaps: ALL,
  pods: ALL,
  'pods/eviction': ['create'],
  'pods/exec': ['create', 'get'],
  secrets: ALL,
  services: ALL,
  'deployments.apps': ALL,
  'deployments.apps/scale': ['get', 'update', 'patch'],
  'replicasets.apps': ALL,
  'replicasets.apps/scale': ['get', 'update', 'patch'],
  'poddisruptionbudgets.policy': ALL,
  'podgroups.scheduling.x-k8s.io': ALL,
};

/** Also what says under whose name pods run, and the cluster's own objects. */
const ADMIN: Rules = {
  ...EDIT,
  events: ALL,
  serviceaccounts: ALL,
  namespaces: ALL,
  nodes: ALL,
  'nodepools.karpenter.sh': ALL,
  // Made by the system alone.
  'nodeclaims.karpenter.sh': ALL.filter((verb) => verb !== 'create'),
  'priorityclasses.scheduling.k8s.io': ALL,
};

const ROLES = new Map<string, Rules>([
  ['view', VIEW],
  ['edit', EDIT],
  ['admin', ADMIN],
]);

/** Discovery and the version: the same for all, and without them clients can do nothing. */
const OPEN_PATHS = /^\/(|version\/?|(api|apis|openapi)(\/[a-z0-9./-]*)?)$/;

/** What is served, by resource and group; nothing else has a right name. */
const TYPES = new Map(RESOURCES.map((type) => [`${type.plural}.${type.group}`, type]));

/** What the built-in groups allow. Members of system:masters are not asked about. */
export function allowedByGroups(user: User, attributes: Attributes): boolean {
  if (attributes.resource === '') return isOpenPath(user, attributes);
  const type = TYPES.get(`${attributes.resource}.${attributes.group}`);
  if (!type || isReserved(type, attributes)) return false;
  return user.groups.some((group) => allowedByGroup(group, type, attributes));
}

function isOpenPath({ groups }: User, { verb, path }: Attributes): boolean {
  const isRead = verb === 'get' || verb === 'head';
  return isRead && groups.includes(AUTHENTICATED) && OPEN_PATHS.test(path);
}

function allowedByGroup(group: string, type: ResourceType, attributes: Attributes): boolean {
  if (!group.startsWith(GROUP_PREFIX)) return false;
  const [role = '', scope, ...rest] = group.slice(GROUP_PREFIX.length).split(':');
  const rules = ROLES.get(role);
  if (!rules || rest.length > 0 || scope === '') return false;
  if (scope !== undefined && !isWithin(scope, type, attributes)) return false;
  const { verb, subresource } = attributes;
  const target = subresource ? `${type.name}/${subresource}` : type.name;
  return Object.hasOwn(rules, target) && (rules[target] ?? []).includes(verb);
}

/** A namespace holds what is in it, and may be looked at itself. */
function isWithin(scope: string, type: ResourceType, attributes: Attributes): boolean {
  const { verb, subresource, name, namespace } = attributes;
  if (type.namespaced) return namespace === scope;
  return type.name === 'namespaces' && subresource === '' && verb === 'get' && name === scope;
}

/** Z3, whatever a group allows. */
function isReserved(type: ResourceType, attributes: Attributes): boolean {
  const { verb, subresource, name, namespace } = attributes;
  const isRead = READ.includes(verb);
  if (!type.namespaced) {
    return type.name === 'namespaces' && !isRead && BUILT_IN_NAMESPACES.has(name);
  }
  const holdsSystem = namespace === '' || namespace === SYSTEM_NAMESPACE;
  // A command is created, but some clients ask by GET.
  return holdsSystem && (!isRead || type.name === 'secrets' || subresource === 'exec');
}

/** Deny by default: what `authorize` does not allow is forbidden (D10). */
export async function checkAllowed(context: Context, attributes: Attributes): Promise<void> {
  if (await isAllowed(context, attributes)) return;
  throw refusal(context.user, attributes);
}

export async function isAllowed({ deps, user }: Context, attributes: Attributes): Promise<boolean> {
  return user.groups.includes(MASTERS) || (await deps.authorize(user, attributes));
}

function refusal(user: User, attributes: Attributes): ApiError {
  const { verb, group, resource, subresource, namespace, name, path } = attributes;
  const q = (text: string) => JSON.stringify(text);
  const who = `User ${q(user.name)} cannot ${verb}`;
  if (!resource) return new ApiError(403, 'Forbidden', `forbidden: ${who} path ${q(path)}`, {});
  const what = subresource ? `${resource}/${subresource}` : resource;
  const scope = namespace ? `in the namespace ${q(namespace)}` : 'at the cluster scope';
  const why = `${who} resource ${q(what)} in API group ${q(group)} ${scope}`;
  return forbidden({ group, plural: resource }, name, why);
}
