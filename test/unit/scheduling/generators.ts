/** Small crowded clusters: few values of everything, so that rules meet each other often. */
import fc from 'fast-check';
import type { PodAffinityTerm } from '../../../shared/api/kinds/affinity.ts';
import type { Node } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { container, namespace, node, pod, running } from './fixtures.ts';

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

export const namespaces = [namespace('x', { team: 'one' }), namespace('y', { team: 'two' })];

const app = fc.constantFrom('a', 'b');
/** Mostly undefined: a pod with every constraint at once fits nowhere, and teaches nothing. */
const sometimes = <T>(arb: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary: arb, weight: 1 });

const rarelyTrue = fc.integer({ min: 0, max: 6 }).map((n) => n === 0);

const nodeSpec = fc.record({
  zone: fc.constantFrom('z1', 'z2', 'z3', undefined),
  disk: fc.constantFrom('ssd', 'hdd'),
  tainted: fc.boolean(),
  cordoned: rarelyTrue,
  cpu: fc.integer({ min: 0, max: 8 }),
  pods: fc.integer({ min: 1, max: 6 }),
});

export const someNodes: fc.Arbitrary<Node[]> = fc
  .array(nodeSpec, { minLength: 1, maxLength: 5 })
  .map((specs) =>
    specs.map(({ zone, disk, tainted, cordoned, cpu, pods }, i) =>
      node(`n${i}`, {
        labels: { disk, ...(zone ? { [ZONE]: zone } : {}) },
        allocatable: { cpu: String(cpu), pods: String(pods) },
        spec: {
          ...(tainted ? { taints: [{ key: 'dedicated', effect: 'NoSchedule' as const }] } : {}),
          ...(cordoned ? { unschedulable: true } : {}),
        },
      }),
    ),
  );

const HARD = 'DoNotSchedule' as const;

const selector = app.map((value) => ({ matchLabels: { app: value } }));

const term: fc.Arbitrary<PodAffinityTerm> = fc
  .record({
    topologyKey: fc.constantFrom(ZONE, HOST),
    labelSelector: selector,
    scope: fc.constantFrom({}, { namespaces: ['y'] }, { namespaceSelector: {} }),
  })
  .map(({ scope, ...rest }) => ({ ...rest, ...scope }));
const terms = fc.array(term, { minLength: 1, maxLength: 2 });

const spread = fc.record({
  maxSkew: fc.constantFrom(1, 1, 2),
  topologyKey: fc.constantFrom(ZONE, HOST),
  whenUnsatisfiable: fc.constantFrom(HARD, HARD, HARD, 'ScheduleAnyway' as const),
  labelSelector: selector,
  minDomains: fc.constantFrom(1, 1, 1, 3),
  nodeAffinityPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
  nodeTaintsPolicy: fc.constantFrom('Honor' as const, 'Ignore' as const),
});

const podSpec = fc.record({
  ns: fc.constantFrom('x', 'y'),
  label: app,
  cpu: fc.constantFrom('0', '500m', '1', '2'),
  priority: fc.constantFrom(0, 0, 10),
  preempts: fc.constant<boolean>(false),
  disk: sometimes(fc.constantFrom('ssd', 'hdd')),
  tolerant: fc.boolean(),
  port: sometimes(fc.constant(80)),
  near: sometimes(terms),
  far: sometimes(terms),
  spread: fc.oneof(fc.constant(undefined), fc.array(spread, { minLength: 1, maxLength: 2 })),
  /** The node on which it runs already, if there is such a node. */
  at: sometimes(fc.integer({ min: 0, max: 4 })),
});

export const somePods: fc.Arbitrary<Pod[]> = fc
  .array(podSpec, { minLength: 1, maxLength: 14 })
  .map((specs) => specs.map(makePod));

/** The same, but that those of higher priority may take the place of others. */
export const preemptingPods: fc.Arbitrary<Pod[]> = fc
  .array(podSpec, { minLength: 1, maxLength: 14 })
  .map((specs) => specs.map((spec, i) => makePod({ ...spec, preempts: true }, i)));

type Given = typeof podSpec extends fc.Arbitrary<infer T> ? T : never;

function makePod(given: Given, i: number): Pod {
  const { ns, label, cpu, priority, disk, tolerant, port, near, far, at } = given;
  const main = container({ cpu });
  const affinity = {
    ...(near ? { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: near } } : {}),
    ...(far ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: far } } : {}),
  };
  const made = pod(`p${i}`, {
    namespace: ns,
    labels: { app: label },
    spec: {
      priority,
      ...(given.preempts ? {} : { preemptionPolicy: 'Never' }),
      affinity,
      containers: [
        port
          ? { ...main, ports: [{ containerPort: port, hostPort: port, protocol: 'TCP' }] }
          : main,
      ],
      ...(disk ? { nodeSelector: { disk } } : {}),
      ...(tolerant ? { tolerations: [{ key: 'dedicated', operator: 'Exists' as const }] } : {}),
      ...(given.spread ? { topologySpreadConstraints: given.spread } : {}),
    },
  });
  return at === undefined ? made : running(`n${at}`, made);
}
