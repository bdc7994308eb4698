import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint, EndpointSlice, Service } from '../../../shared/api/kinds/core.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import { endpointSliceController } from '../../../shared/control/controllers/endpointslice.ts';
import { MAX_ENDPOINTS, planEndpointSlices } from '../../../shared/core/endpointslice/plan.ts';
import { Loop } from '../gc/loop.ts';
import { pod as plainPod } from '../replicaset/fixtures.ts';

function service(spec: object = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web',
      namespace: 'd',
      uid: 'svc',
      resourceVersion: '1',
      labels: { team: 'x' },
    },
    spec: {
      selector: { app: 'web' },
      ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
      ...spec,
    },
  } as unknown as Service;
}

function pod(name: string, more: { ready?: boolean; port?: number; metadata?: object } = {}): Pod {
  const plain = plainPod(name, undefined, { metadata: more.metadata } as never);
  const ports = [{ name: 'http', containerPort: more.port ?? 8080, protocol: 'TCP' }];
  return {
    ...plain,
    spec: { ...plain.spec, nodeName: 'n1', containers: [{ name: 'c', ports }] },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${name.length}`,
      conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
    },
  } as unknown as Pod;
}

/** The slices after the plan, as the store would hold them. */
function after(svc: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []) {
  const plan = planEndpointSlices({ service: svc, pods, slices });
  const byName = new Map(slices.map((slice) => [slice.metadata.name, slice]));
  for (const action of plan.stages.flat()) {
    if (action.kind === 'remove') byName.delete(action.key.name);
    if (action.kind === 'create' || action.kind === 'update') {
      byName.set(action.object.metadata.name, action.object as unknown as EndpointSlice);
    }
  }
  return { slices: [...byName.values()], writes: plan.stages.flat().length };
}

const names = (slice: EndpointSlice | undefined) =>
  slice?.endpoints.map((endpoint: Endpoint) => endpoint.targetRef?.name);

describe('the slices of a service', () => {
  it('show its pods, with ports as the pods serve them', () => {
    const { slices } = after(service(), [pod('a')]);
    expect(slices).toMatchObject([
      {
        metadata: {
          name: expect.stringMatching(/^web-[a-z0-9]{5}$/) as string,
          labels: {
            team: 'x',
            'kubernetes.io/service-name': 'web',
            'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
          },
          ownerReferences: [{ kind: 'Service', uid: 'svc', controller: true }],
        },
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: [
          {
            addresses: ['10.0.0.1'],
            conditions: { ready: true, serving: true, terminating: false },
            targetRef: { kind: 'Pod', namespace: 'd', name: 'a', uid: 'uid-a' },
            nodeName: 'n1',
          },
        ],
      },
    ]);
  });

  const going = { deletionTimestamp: 'now' };
  it.each([
    ['ready', {}, {}, { ready: true, serving: true, terminating: false }],
    ['not ready', { ready: false }, {}, { ready: false, serving: false, terminating: false }],
    ['going', { metadata: going }, {}, { ready: false, serving: true, terminating: true }],
    [
      'not ready, of a service that publishes it all the same',
      { ready: false },
      { publishNotReadyAddresses: true },
      { ready: true, serving: false, terminating: false },
    ],
  ])('say of a pod that is %s what it can do', (_what, how, spec, conditions) => {
    const [slice] = after(service(spec), [pod('a', how)]).slices;
    expect(slice?.endpoints[0]?.conditions).toEqual(conditions);
  });

  it.each<[string, object]>([
    ['without an address', { ...pod('a'), status: { phase: 'Running' } }],
    ['that has ended', { ...pod('a'), status: { ...pod('a').status, phase: 'Succeeded' } }],
    ['with other labels', pod('a', { metadata: { labels: { app: 'other' } } })],
  ])('leave out a pod %s', (_what, left) => {
    expect(after(service(), [left as Pod]).slices.flatMap(names)).toEqual([]);
  });

  it('are one empty slice for a service without pods, and the first pod gets into it', () => {
    const numbered = service({ ports: [{ port: 80, protocol: 'TCP' }] });
    const empty = after(numbered, []);
    expect(empty.slices.map(names)).toEqual([[]]);
    expect(after(numbered, [], empty.slices).writes).toBe(0);
    expect(after(numbered, [pod('a')], empty.slices).slices.map(names)).toEqual([['a']]);
  });

  it('are none for a service without a selector', () => {
    expect(after(service({ selector: undefined }), [pod('a')]).slices).toEqual([]);
  });

  it('keep pods apart whose named port differs', () => {
    const { slices } = after(service(), [pod('a'), pod('b', { port: 9090 }), pod('c')]);
    expect(slices.map(names)).toEqual([['a', 'c'], ['b']]);
  });

  it('hold a bounded number each; one pod more or less writes one slice', () => {
    const pods = Array.from({ length: 2 * MAX_ENDPOINTS + 1 }, (_, i) => pod(`p${1000 + i}`));
    const full = after(service(), pods);
    expect(full.slices.map((slice) => slice.endpoints.length)).toEqual([100, 100, 1]);
    const fewer = after(service(), pods.slice(1), full.slices);
    expect([fewer.writes, fewer.slices.map((s) => s.endpoints.length)]).toEqual([1, [99, 100, 1]]);
    const more = after(service(), [...pods.slice(1), pod('q')], fewer.slices);
    expect([more.writes, more.slices.map((s) => s.endpoints.length)]).toEqual([1, [100, 100, 1]]);
  });

  it('hold each pod exactly once, and then are silent, whatever comes and goes', () => {
    const population = fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.array(population, { minLength: 1, maxLength: 4 }), (history) => {
        let slices: readonly EndpointSlice[] = [];
        for (const numbers of history) {
          const pods = numbers.map((n) => pod(`p${n}`));
          slices = after(service(), pods, slices).slices;
          const shown = slices.flatMap((slice) => names(slice) ?? []);
          expect(shown.toSorted()).toEqual(pods.map((p) => p.metadata.name).toSorted());
          expect(slices.every((slice) => slice.endpoints.length <= MAX_ENDPOINTS)).toBe(true);
          expect(after(service(), pods, slices).writes).toBe(0);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the endpoint-slice controller', () => {
  it('follows pods as they become ready, and goes quiet on what slices do not show', async () => {
    const loop = new Loop(endpointSliceController);
    const { apiVersion: _a, kind: _k, ...svc } = service() as unknown as Record<string, unknown>;
    await loop.create('services', 'web', { ...svc, metadata: {}, kind: 'Service' });
    const { spec, status, metadata } = pod('a', { ready: false });
    const made = await loop.create('pods', 'a', {
      spec,
      status,
      metadata: { labels: metadata.labels },
    });
    await loop.settle();
    const slices = () =>
      loop.store.list<EndpointSlice>({ resource: 'endpointslices.discovery.k8s.io' });
    expect((await slices()).items[0]?.endpoints[0]?.conditions?.ready).toBe(false);
    await loop.change('pods', made, (now) => ({ ...now, status: pod('a').status }));
    await loop.settle();
    expect((await slices()).items[0]?.endpoints[0]?.conditions?.ready).toBe(true);
    const [change] = loop.writes.filter(({ resource }) => resource === 'pods').slice(-1);
    const same = { ...change!, previous: change!.object };
    expect(await endpointSliceController.wakes(same, loop.store)).toEqual([]);
    await loop.delete('pods', made);
    await loop.settle();
    expect((await slices()).items.flatMap(names)).toEqual([]);
  });
});
