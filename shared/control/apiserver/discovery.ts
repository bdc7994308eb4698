/**
 * Discovery: what is served, in the aggregated form (one answer a root) and in the legacy one (one
 * a group version). Owns the documents; the registry and virtual.ts own what is in them.
 */
import { hash64 } from '../../api/hash.ts';
import { notAcceptable } from '../../api/errors.ts';
import type { ApiRequest, ApiResponse } from '../../api/http.ts';
import { RESOURCES, type ResourceType } from '../../api/resources.ts';
import { acceptRanges } from './negotiate.ts';
import { json, tagged } from './responses.ts';
import { VIRTUAL_GROUPS } from './virtual.ts';

interface Subresource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** What a subresource takes and gives; `status` and `finalize` speak of the object itself. */
const SUBRESOURCES: { readonly [name: string]: Subresource } = {
  scale: {
    group: 'autoscaling',
    version: 'v1',
    kind: 'Scale',
    verbs: ['get', 'patch', 'update'],
  },
  log: { group: '', version: 'v1', kind: 'Pod', verbs: ['get'] },
  decision: { group: '', version: 'v1', kind: 'PodDecision', verbs: ['get'] },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  binding: { group: '', version: 'v1', kind: 'Binding', verbs: ['create'] },
  exec: { group: '', version: 'v1', kind: 'PodExecOptions', verbs: ['create', 'get'] },
};
const ITSELF_VERBS: { readonly [name: string]: readonly string[] } = {
  status: ['get', 'patch', 'update'],
  finalize: ['update'],
};

function subresource(type: ResourceType, name: string): Subresource {
  const verbs = ITSELF_VERBS[name];
  if (verbs) return { group: type.group, version: type.version, kind: type.kind, verbs };
  const known = SUBRESOURCES[name];
  if (!known) throw new RangeError(`no such subresource: ${name}`);
  return known;
}

/** The verbs that a resource or one of its subresources is served with. */
export function verbsOf(type: ResourceType, name: string): readonly string[] {
  return name ? subresource(type, name).verbs : type.verbs;
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** The group versions that are served, the preferred version of a group first. */
export const GROUP_VERSIONS: readonly GroupVersion[] = [
  ...new Map(
    [...RESOURCES, ...VIRTUAL_GROUPS].map(({ group, version }) => [
      `${group}/${version}`,
      { group, version },
    ]),
  ).values(),
];

const resourcesOf = ({ group, version }: GroupVersion) =>
  RESOURCES.filter((type) => type.group === group && type.version === version);
const virtualsOf = ({ group, version }: GroupVersion) =>
  VIRTUAL_GROUPS.filter((v) => v.group === group && v.version === version).flatMap(
    (v) => v.resources,
  );

/** The document for a discovery path; undefined for any other path. */
export function discover(path: string, request: ApiRequest): ApiResponse | undefined {
  const segments = path.split('/').slice(1);
  const [root, group = '', version = ''] = segments;
  if (path === '/api' || path === '/apis') return rootDocument(path, request);
  const isCore = root === 'api' && segments.length === 2;
  const gv = isCore ? { group: '', version: group } : { group, version };
  if (root === 'apis' && segments.length === 2) return groupDocument(group, request);
  if (!isCore && !(root === 'apis' && group && segments.length === 3)) return undefined;
  return has(gv) ? cached(request, 'application/json', resourceList(gv)) : undefined;
}

const has = ({ group, version }: GroupVersion) =>
  GROUP_VERSIONS.some((gv) => gv.group === group && gv.version === version);

function rootDocument(path: string, request: ApiRequest): ApiResponse {
  const groups = path === '/api' ? [''] : groupNames();
  for (const { type, parameters } of acceptRanges(request.headers['accept'])) {
    const version = parameters.get('v') ?? '';
    const as = parameters.get('as');
    if (as === 'APIGroupDiscoveryList' && ['v2', 'v2beta1'].includes(version)) {
      // The version that was chosen is echoed: by this the client knows that the answer is
      // aggregated.
      const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=${as}`;
      return cached(request, contentType, aggregated(groups, version));
    }
    if (as === undefined && /^(application\/(json|\*)|\*\/\*)$/.test(type)) {
      return cached(request, 'application/json', path === '/api' ? coreVersions() : groupList());
    }
  }
  throw notAcceptable(['application/json']);
}

const groupNames = () => [...new Set(GROUP_VERSIONS.map(({ group }) => group))].filter(Boolean);

function cached(request: ApiRequest, contentType: string, document: unknown): ApiResponse {
  const response = json(200, document, { 'content-type': contentType });
  const etag = `"${hash64(response.body as string)
    .toString(16)
    .toUpperCase()}"`;
  return tagged(response, etag, request.headers['if-none-match']);
}

function aggregated(groups: readonly string[], version: string) {
  const items = groups.map((name) => ({
    metadata: { ...(name && { name }), creationTimestamp: null },
    versions: GROUP_VERSIONS.filter(({ group }) => group === name).map(aggregatedVersion),
  }));
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items,
  };
}

function aggregatedVersion(gv: GroupVersion) {
  const virtual = virtualsOf(gv).map(({ plural, singular, kind }) => ({
    resource: plural,
    responseKind: { ...gv, kind },
    scope: 'Cluster',
    singularResource: singular,
    verbs: ['create'],
  }));
  const resources = [...resourcesOf(gv).map(aggregatedResource), ...virtual];
  return { version: gv.version, resources, freshness: 'Current' };
}

function aggregatedResource(type: ResourceType) {
  const { group, version, kind } = type;
  const subresources = type.subresources.map((name) => {
    const { verbs, ...responseKind } = subresource(type, name);
    return { subresource: name, responseKind, verbs };
  });
  return {
    resource: type.plural,
    responseKind: { group, version, kind },
    scope: type.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: type.singular,
    verbs: type.verbs,
    ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
    ...(type.categories.length > 0 && { categories: type.categories }),
    ...(subresources.length > 0 && { subresources }),
  };
}

function coreVersions() {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

function apiGroup(name: string) {
  const versions = GROUP_VERSIONS.filter(({ group }) => group === name).map(({ version }) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, preferredVersion: versions[0] };
}

function groupList() {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames().map(apiGroup) };
}

function groupDocument(name: string, request: ApiRequest): ApiResponse | undefined {
  if (!groupNames().includes(name)) return undefined;
  const document = { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(name) };
  return cached(request, 'application/json', document);
}

function resourceList(gv: GroupVersion) {
  const virtual = virtualsOf(gv).map(({ plural, singular, kind }) => ({
    name: plural,
    singularName: singular,
    namespaced: false,
    kind,
    verbs: ['create'],
  }));
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: gv.group ? `${gv.group}/${gv.version}` : gv.version,
    resources: [...resourcesOf(gv).flatMap(listedResources), ...virtual],
  };
}

function listedResources(type: ResourceType) {
  const subresources = type.subresources.map((name) => {
    const { group, version, kind, verbs } = subresource(type, name);
    const foreign = group !== type.group || version !== type.version;
    return {
      name: `${type.plural}/${name}`,
      singularName: '',
      namespaced: type.namespaced,
      ...(foreign && { group, version }),
      kind,
      verbs,
    };
  });
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = type;
  const itself = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
  };
  return [itself, ...subresources];
}
