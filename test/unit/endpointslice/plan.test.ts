import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Service } from '../../../shared/api/kinds/core.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { draftMeta } from '../../../shared/api/meta.ts';
import { MAX_ENDPOINTS, planEndpointSlices } from '../../../shared/core/endpointslice/plan.ts';

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: draftMeta({ name: 'web', namespace: 'default', uid: 'service-uid' }),
  spec: {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    selector: { app: 'web' },
    ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
  },
  status: { loadBalancer: {} },
} satisfies Service;

interface PodTraits {
  readonly ready?: boolean;
  readonly phase?: Pod['status']['phase'];
  readonly deleting?: boolean;
  readonly ip?: string | null;
  readonly port?: number;
  readonly app?: string;
}

function pod(name: string, traits: PodTraits = {}): Pod {
  const { ready = true, phase = 'Running', deleting = false, ip = '10.0.0.1' } = traits;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: draftMeta({
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      labels: { app: traits.app ?? 'web' },
      ...(deleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    }),
    spec: {
      nodeName: 'fargate',
      containers: [
        {
          name: 'app',
          ports: [{ name: 'http', containerPort: traits.port ?? 8080, protocol: 'TCP' }],
        },
      ],
    },
    status: {
      phase,
      ...(ip === null ? {} : { podIP: ip }),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  } as unknown as Pod;
}

/** The slices after the plan, as a store would hold them. */
function slicesAfter(pods: readonly Pod[], slices: readonly EndpointSlice[] = []): EndpointSlice[] {
  const plan = planEndpointSlices({ service, pods, slices });
  const byName = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const action of plan.stages.flat()) {
    if (action.kind === 'remove') byName.delete(action.key.name);
    else if (action.kind === 'create' || action.kind === 'update') {
      const slice = action.object as unknown as EndpointSlice;
      byName.set(slice.metadata.name, slice);
    }
  }
  return [...byName.values()];
}

const names = (slice: EndpointSlice | undefined) =>
  (slice?.endpoints ?? []).map(({ targetRef }) => targetRef?.name);

describe('endpoint slices', () => {
  it('list the pods that the selector matches, sorted by name', () => {
    const [slice] = slicesAfter([pod('b'), pod('a'), pod('x', { app: 'other' })]);
    expect(names(slice)).toEqual(['a', 'b']);
    expect(slice?.ports).toEqual([{ name: '', protocol: 'TCP', port: 8080 }]);
    expect(slice?.metadata.labels).toMatchObject({ 'kubernetes.io/service-name': 'web' });
    expect(slice?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Service', name: 'web' });
  });

  it.each<[string, PodTraits, object | undefined]>([
    ['ready', {}, { ready: true, serving: true, terminating: false }],
    ['not ready', { ready: false }, { ready: false, serving: false, terminating: false }],
    ['terminating', { deleting: true }, { ready: false, serving: true, terminating: true }],
    ['without an address', { ip: null }, undefined],
    ['succeeded', { phase: 'Succeeded' }, undefined],
    ['failed', { phase: 'Failed' }, undefined],
  ])('a pod that is %s', (_state, traits, conditions) => {
    const [slice] = slicesAfter([pod('a', traits)]);
    expect(slice?.endpoints[0]?.conditions).toEqual(conditions);
  });

  it('are written again only when something that they show has changed', () => {
    const pods = [pod('a'), pod('b')];
    const slices = slicesAfter(pods);
    expect(planEndpointSlices({ service, pods, slices }).stages).toEqual([]);
    const changed = [pod('a', { ready: false }), pod('b')];
    expect(planEndpointSlices({ service, pods: changed, slices }).stages.flat()).toHaveLength(1);
  });

  it('part by ports when a named port differs from pod to pod', () => {
    const slices = slicesAfter([pod('a', { port: 8080 }), pod('b', { port: 9090 })]);
    expect(slices.map((slice) => [slice.ports?.[0]?.port, names(slice)])).toEqual([
      [8080, ['a']],
      [9090, ['b']],
    ]);
  });

  it('hold a hundred endpoints each, and one pod’s change rewrites one of them', () => {
    const pods = Array.from({ length: 2 * MAX_ENDPOINTS + 1 }, (_, i) => pod(`p${i + 1000}`));
    const slices = slicesAfter(pods);
    expect(slices.map((slice) => slice.endpoints.length)).toEqual([100, 100, 1]);
    const changed = pods.map((p, i) => (i === 0 ? pod(p.metadata.name, { ready: false }) : p));
    const plan = planEndpointSlices({ service, pods: changed, slices });
    expect(plan.stages.flat()).toHaveLength(1);
  });

  it('keep endpoints where they are when others leave', () => {
    const pods = Array.from({ length: MAX_ENDPOINTS + 50 }, (_, i) => pod(`p${i + 1000}`));
    const slices = slicesAfter(pods);
    const fewer = pods.filter((_, i) => i !== 3);
    const plan = planEndpointSlices({ service, pods: fewer, slices });
    expect(plan.stages.flat()).toHaveLength(1);
  });

  it('of a service without pods are one, and empty', () => {
    expect(slicesAfter([]).map((slice) => slice.endpoints)).toEqual([[]]);
  });

  it('of a service without a selector are somebody else’s', () => {
    const { selector: _, ...spec } = service.spec;
    const plan = planEndpointSlices({ service: { ...service, spec }, pods: [], slices: [] });
    expect(plan.stages).toEqual([]);
  });
});
