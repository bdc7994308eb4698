/** Where a pod wants to be: node and pod affinity, tolerations, topology spread. */
import {
  atomic,
  type Infer,
  integer,
  list,
  map,
  mapList,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../schema.ts';

const CORE = 'io.k8s.api.core.v1';
const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const LabelSelectorSchema = atomic(
  object(`${META}.LabelSelector`, 'A query over labels; all must hold.', {
    matchLabels: map('Labels that must have these values.', string()),
    matchExpressions: list(
      'Further requirements.',
      object(`${META}.LabelSelectorRequirement`, 'One requirement.', {
        key: required(string('The label.')),
        operator: required(oneOf('How it compares.', ['In', 'NotIn', 'Exists', 'DoesNotExist'])),
        values: list('What it is compared with.', string()),
      }),
    ),
  }),
);

const NodeRequirementSchema = object(`${CORE}.NodeSelectorRequirement`, 'One requirement.', {
  key: required(string('The label or field.')),
  operator: required(
    oneOf('How it compares.', ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  ),
  values: list('What it is compared with.', string()),
});

const NodeTermSchema = atomic(
  object(`${CORE}.NodeSelectorTerm`, 'Requirements that must all hold.', {
    matchExpressions: list('On labels.', NodeRequirementSchema),
    matchFields: list('On fields; only metadata.name.', NodeRequirementSchema),
  }),
);

export const NodeSelectorSchema = atomic(
  object(`${CORE}.NodeSelector`, 'Terms of which one must hold.', {
    nodeSelectorTerms: required(list('The terms.', NodeTermSchema)),
  }),
);

const PodTermSchema = object(`${CORE}.PodAffinityTerm`, 'Pods to be near to, or far from.', {
  labelSelector: LabelSelectorSchema,
  namespaces: list('Namespaces of those pods; this one by default.', string()),
  namespaceSelector: LabelSelectorSchema,
  topologyKey: required(string('The node label that says what near means.')),
  matchLabelKeys: list('Labels taken over from the pod itself.', string()),
  mismatchLabelKeys: list('Labels taken over, negated.', string()),
});

const podAffinity = (name: string) =>
  object(`${CORE}.${name}`, 'Relations to other pods.', {
    requiredDuringSchedulingIgnoredDuringExecution: list('Must hold.', PodTermSchema),
    preferredDuringSchedulingIgnoredDuringExecution: list(
      'Counted when nodes are compared.',
      object(`${CORE}.WeightedPodAffinityTerm`, 'A weighted term.', {
        weight: required(integer('1 to 100.')),
        podAffinityTerm: required(PodTermSchema),
      }),
    ),
  });

export const AffinitySchema = object(`${CORE}.Affinity`, 'Where a pod wants to be.', {
  nodeAffinity: object(`${CORE}.NodeAffinity`, 'Relations to nodes.', {
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelectorSchema,
    preferredDuringSchedulingIgnoredDuringExecution: list(
      'Counted when nodes are compared.',
      object(`${CORE}.PreferredSchedulingTerm`, 'A weighted term.', {
        weight: required(integer('1 to 100.')),
        preference: required(NodeTermSchema),
      }),
    ),
  }),
  podAffinity: podAffinity('PodAffinity'),
  podAntiAffinity: podAffinity('PodAntiAffinity'),
});

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

export const TolerationSchema = object(`${CORE}.Toleration`, 'A taint that the pod puts up with.', {
  key: string('The taint; all of them when empty and the operator is Exists.'),
  operator: oneOf('How the value compares.', ['Exists', 'Equal']),
  value: string('The value of the taint.'),
  effect: oneOf('The effect; all of them when absent.', effects),
  tolerationSeconds: integer('How long NoExecute is put up with; for ever when absent.'),
});

export const TaintSchema = object(`${CORE}.Taint`, 'Keeps pods that do not tolerate it away.', {
  key: required(string('The taint.')),
  value: string('Its value.'),
  effect: required(oneOf('What it does to pods.', effects)),
  timeAdded: string('When it was added.'),
});

const TopologySpreadSchema = object(`${CORE}.TopologySpreadConstraint`, 'Spreads pods evenly.', {
  maxSkew: required(integer('The largest difference between two domains.')),
  topologyKey: required(string('The node label that makes the domains.')),
  whenUnsatisfiable: required(
    oneOf('Wait, or count it against the node.', ['DoNotSchedule', 'ScheduleAnyway']),
  ),
  labelSelector: LabelSelectorSchema,
  minDomains: integer('Fewer domains count as an empty one.'),
  nodeAffinityPolicy: withDefault(
    oneOf('Whether unselected nodes count.', ['Honor', 'Ignore']),
    'Honor',
  ),
  nodeTaintsPolicy: withDefault(
    oneOf('Whether tainted nodes count.', ['Honor', 'Ignore']),
    'Ignore',
  ),
  matchLabelKeys: list('Labels taken over from the pod itself.', string()),
});

export const tolerations = list('Taints that the pod puts up with.', TolerationSchema);
export const topologySpreadConstraints = mapList(
  'How pods spread over topology domains.',
  TopologySpreadSchema,
  ['topologyKey', 'whenUnsatisfiable'],
);

export type LabelSelector = Infer<typeof LabelSelectorSchema>;
export type NodeSelector = Infer<typeof NodeSelectorSchema>;
export type NodeSelectorTerm = Infer<typeof NodeTermSchema>;
export type NodeRequirement = Infer<typeof NodeRequirementSchema>;
export type PodAffinityTerm = Infer<typeof PodTermSchema>;
export type Affinity = Infer<typeof AffinitySchema>;
export type Toleration = Infer<typeof TolerationSchema>;
export type Taint = Infer<typeof TaintSchema>;
export type TopologySpreadConstraint = Infer<typeof TopologySpreadSchema>;
