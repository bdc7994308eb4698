/** The small kinds of the core group, and EndpointSlice: data that others refer to. */
import { conditionFields, ObjectMetaSchema, type Stored } from '../meta.ts';
import {
  any,
  atomic,
  boolean,
  bytes,
  type Infer,
  integer,
  intOrString,
  list,
  map,
  mapList,
  object,
  oneOf,
  required,
  setOf,
  string,
  time,
  unsupported,
  withDefault,
} from '../schema.ts';
import { LocalReferenceSchema } from './pod.ts';

const CORE = 'io.k8s.api.core.v1';
const DISCOVERY = 'io.k8s.api.discovery.v1';

const typed = (version: string, kind: string) => ({
  apiVersion: string(version),
  kind: string(kind),
  metadata: ObjectMetaSchema,
});

const ObjectReferenceSchema = atomic(
  object(`${CORE}.ObjectReference`, 'An object.', {
    apiVersion: string('Its version.'),
    kind: string('Its kind.'),
    namespace: string('Its namespace.'),
    name: string('Its name.'),
    uid: string('Its uid.'),
    resourceVersion: string('Its version.'),
    fieldPath: string('A part of it.'),
  }),
);

export const NamespaceSchema = object(`${CORE}.Namespace`, 'A scope for names.', {
  ...typed('v1', 'Namespace'),
  spec: withDefault(
    object(`${CORE}.NamespaceSpec`, 'What must act before it is removed.', {
      finalizers: list('Finalizers.', string()),
    }),
    {},
  ),
  status: withDefault(
    object(`${CORE}.NamespaceStatus`, 'How it is.', {
      phase: withDefault(oneOf('Active or Terminating.', ['Active', 'Terminating']), 'Active'),
      conditions: mapList(
        'What holds its deletion up.',
        object(`${CORE}.NamespaceCondition`, 'A condition of a namespace.', conditionFields),
        ['type'],
      ),
    }),
    { phase: 'Active' },
  ),
});

export const ConfigMapSchema = object(`${CORE}.ConfigMap`, 'Settings for pods.', {
  ...typed('v1', 'ConfigMap'),
  data: map('Text values.', string()),
  binaryData: map('Binary values, in base64.', bytes()),
  immutable: boolean('Data can never change.'),
});

export const SecretSchema = object(`${CORE}.Secret`, 'Settings that are nobody else’s business.', {
  ...typed('v1', 'Secret'),
  type: withDefault(string('What kind of secret it is.'), 'Opaque'),
  data: map('Values, in base64.', bytes()),
  stringData: map('Values as text; merged into data and never returned.', string()),
  immutable: boolean('Data can never change.'),
});

export const ServiceAccountSchema = object(`${CORE}.ServiceAccount`, 'The identity of a pod.', {
  ...typed('v1', 'ServiceAccount'),
  secrets: mapList('Its secrets.', ObjectReferenceSchema, ['name']),
  imagePullSecrets: list('Credentials of registries.', LocalReferenceSchema),
  automountServiceAccountToken: boolean('Mount a token.'),
});

const ServicePortSchema = object(`${CORE}.ServicePort`, 'A port of a service.', {
  name: string('Required when there are several.'),
  protocol: withDefault(oneOf('The protocol.', ['TCP', 'UDP', 'SCTP']), 'TCP'),
  appProtocol: string('What is spoken on it.'),
  port: required(integer('The number.')),
  targetPort: intOrString('Where pods serve it; the same number when absent.'),
  nodePort: integer('The port on each node.'),
});

export const ServiceSchema = object(`${CORE}.Service`, 'Pods under one name.', {
  ...typed('v1', 'Service'),
  spec: required(
    object(`${CORE}.ServiceSpec`, 'Which pods, under which ports.', {
      type: withDefault(
        oneOf('How it is reached.', ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']),
        'ClusterIP',
      ),
      selector: atomic(map('Labels of the pods.', string())),
      ports: mapList('Its ports.', ServicePortSchema, ['port', 'protocol'], 'port'),
      clusterIP: string('Its address; None for a headless service.'),
      clusterIPs: list('Its addresses.', string()),
      ipFamilies: list('IPv4 or IPv6.', string()),
      ipFamilyPolicy: string('SingleStack.'),
      externalIPs: unsupported(list('Further addresses.', string()), 'externalIPs are not served'),
      externalName: string('A DNS name that it stands for.'),
      externalTrafficPolicy: string('Cluster or Local.'),
      internalTrafficPolicy: string('Cluster or Local.'),
      sessionAffinity: withDefault(oneOf('Keep clients at a pod.', ['None', 'ClientIP']), 'None'),
      sessionAffinityConfig: any('Details of the affinity.'),
      publishNotReadyAddresses: boolean('Pods count although they are not ready.'),
      loadBalancerIP: string('Deprecated.'),
      loadBalancerClass: string('Which load balancer.'),
      loadBalancerSourceRanges: list('Who may call.', string()),
      allocateLoadBalancerNodePorts: boolean('Not used.'),
      healthCheckNodePort: integer('Not used.'),
      trafficDistribution: string('A preference.'),
    }),
  ),
  status: withDefault(
    object(`${CORE}.ServiceStatus`, 'How it is.', {
      loadBalancer: withDefault(any('Where it is reached.'), {}),
      conditions: mapList('Conditions.', object('', 'A condition.', conditionFields), ['type']),
    }),
    { loadBalancer: {} },
  ),
});

const EndpointSchema = object(`${DISCOVERY}.Endpoint`, 'A pod of a service.', {
  addresses: required(setOf('Its addresses.', string())),
  conditions: object(`${DISCOVERY}.EndpointConditions`, 'How it is.', {
    ready: boolean('It takes traffic.'),
    serving: boolean('It could take traffic, be it terminating or not.'),
    terminating: boolean('It is on its way out.'),
  }),
  hostname: string('Its host name.'),
  targetRef: ObjectReferenceSchema,
  nodeName: string('Its node.'),
  zone: string('Its zone.'),
});

export const EndpointSliceSchema = object(
  `${DISCOVERY}.EndpointSlice`,
  'Pods of a service, and ports.',
  {
    ...typed('discovery.k8s.io/v1', 'EndpointSlice'),
    addressType: required(oneOf('The kind of addresses.', ['IPv4', 'IPv6', 'FQDN'])),
    endpoints: required(list('The pods.', EndpointSchema)),
    ports: list(
      'The ports.',
      object(`${DISCOVERY}.EndpointPort`, 'A port.', {
        name: string('Its name.'),
        protocol: string('Its protocol.'),
        port: integer('Its number.'),
        appProtocol: string('What is spoken on it.'),
      }),
    ),
  },
);

export const EventSchema = object(`${CORE}.Event`, 'Something that happened to an object.', {
  ...typed('v1', 'Event'),
  involvedObject: required(ObjectReferenceSchema),
  reason: string('What, in one word.'),
  message: string('What, for people.'),
  type: string('Normal or Warning.'),
  count: integer('How often.'),
  firstTimestamp: time('The first time.'),
  lastTimestamp: time('The last time.'),
  eventTime: string('When, to the microsecond.'),
  source: any('Who noticed.'),
  action: string('What was done.'),
  related: ObjectReferenceSchema,
  reportingComponent: withDefault(string('Who reports.'), ''),
  reportingInstance: withDefault(string('Which one reports.'), ''),
  series: any('A series of the same.'),
});

export type Namespace = Stored<typeof NamespaceSchema, 'v1', 'Namespace'>;
export type ConfigMap = Stored<typeof ConfigMapSchema, 'v1', 'ConfigMap'>;
export type Secret = Stored<typeof SecretSchema, 'v1', 'Secret'>;
export type ServiceAccount = Stored<typeof ServiceAccountSchema, 'v1', 'ServiceAccount'>;
export type Service = Stored<typeof ServiceSchema, 'v1', 'Service'>;
export type ServicePort = Infer<typeof ServicePortSchema>;
export type ObjectReference = Infer<typeof ObjectReferenceSchema>;
export type Endpoint = Infer<typeof EndpointSchema>;
export type EndpointSlice = Stored<
  typeof EndpointSliceSchema,
  'discovery.k8s.io/v1',
  'EndpointSlice'
>;
export type Event = Stored<typeof EventSchema, 'v1', 'Event'>;
