/** get and list: selection, chunks, versions, forms. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  configMap,
  CONFIG_MAPS,
  deployment,
  DEPLOYMENTS,
  failure,
  pod,
  PODS,
  TestApi,
} from './api.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

interface Listed {
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}
const names = (json: unknown) => (json as Listed).items.map((item) => item.metadata.name);

async function makeConfigMaps(count: number): Promise<string[]> {
  const made = Array.from({ length: count }, (_, i) => `m${String(i).padStart(2, '0')}`);
  for (const name of made) await api.post(CONFIG_MAPS, configMap(name));
  return made;
}

describe('list', () => {
  it('names its kind and version, and can be continued in chunks', async () => {
    const all = await makeConfigMaps(7);
    const seen: string[] = [];
    const left: unknown[] = [];
    let token = '';
    const versions = new Set<string>();
    do {
      const { json } = await api.get(`${CONFIG_MAPS}?limit=3&continue=${token}`);
      expect(json).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' });
      seen.push(...names(json));
      left.push(json.metadata.remainingItemCount);
      versions.add(json.metadata.resourceVersion);
      token = json.metadata.continue ?? '';
    } while (token);
    expect(seen).toEqual(all);
    expect(left).toEqual([4, 1, undefined]);
    expect(versions.size).toBe(1);
  });

  it('ends without a token when the chunk is the last', async () => {
    await makeConfigMaps(3);
    const { json } = await api.get(`${CONFIG_MAPS}?limit=3`);
    expect(json.metadata.continue).toBeUndefined();
  });

  it('goes on where it was although objects come and go', async () => {
    await makeConfigMaps(4);
    const { json } = await api.get(`${CONFIG_MAPS}?limit=2`);
    await api.delete(`${CONFIG_MAPS}/m01`);
    await api.post(CONFIG_MAPS, configMap('m005'));
    const rest = await api.get(`${CONFIG_MAPS}?limit=9&continue=${json.metadata.continue}`);
    expect(names(rest.json)).toEqual(['m02', 'm03']);
  });

  it('counts nothing where a selector leaves out some', async () => {
    await makeConfigMaps(4);
    const { json } = await api.get(`${CONFIG_MAPS}?limit=1&labelSelector=!x`);
    expect(json.metadata.continue).toBeDefined();
    expect(json.metadata.remainingItemCount).toBeUndefined();
  });

  it('reaches over all namespaces', async () => {
    await api.post('/api/v1/namespaces', { metadata: { name: 'a-team' } });
    await api.post('/api/v1/namespaces/a-team/configmaps', configMap('theirs'));
    await api.post(CONFIG_MAPS, configMap('ours'));
    expect(names((await api.get('/api/v1/configmaps')).json)).toEqual(['theirs', 'ours']);
    const one = await api.get('/api/v1/configmaps?fieldSelector=metadata.namespace=default');
    expect(names(one.json)).toEqual(['ours']);
  });

  it.each([
    ['labelSelector=app=a', ['p1']],
    ['labelSelector=app in (a,b)', ['p1', 'p2']],
    ['labelSelector=app!=a', ['p2', 'p3']],
    ['labelSelector=!app', ['p3']],
    ['fieldSelector=spec.nodeName=n1', ['p2']],
    ['fieldSelector=spec.nodeName=', ['p1', 'p3']],
    ['fieldSelector=spec.nodeName!=n1', ['p1', 'p3']],
    ['fieldSelector=metadata.name=p3', ['p3']],
    ['fieldSelector=metadata.name=p3,status.phase=Running', []],
    ['fieldSelector=status.phase=Pending&labelSelector=app=b', ['p2']],
    ['fieldSelector=spec.restartPolicy=Never', ['p3']],
    ['fieldSelector=spec.serviceAccountName=default', ['p1', 'p2', 'p3']],
  ])('selects by %s', async (query, expected) => {
    await api.post(PODS, pod('p1', {}, { labels: { app: 'a' } }));
    await api.post(PODS, pod('p2', { nodeName: 'n1' }, { labels: { app: 'b' } }));
    await api.post(PODS, pod('p3', { restartPolicy: 'Never' }, { labels: {} }));
    expect(names((await api.get(`${PODS}?${query}`)).json)).toEqual(expected);
  });

  it.each([
    ['fieldSelector=spec.color=red', 400, 'field label not supported: spec.color'],
    ['fieldSelector=spec', 400, 'invalid field selector'],
    ['labelSelector=a in (', 400, 'unable to parse requirement'],
    ['labelSelector==', 400, 'unable to parse requirement'],
    ['limit=many', 400, 'invalid limit'],
    ['continue=garbage', 400, 'continue key is not valid'],
    ['continue=e30', 400, 'continue key is not valid'],
    ['resourceVersion=old', 400, 'invalid resource version'],
    ['resourceVersion=-1', 400, 'invalid resource version'],
    ['resourceVersionMatch=Exact', 422, 'resourceVersionMatch is forbidden unless'],
    ['resourceVersion=0&resourceVersionMatch=Exact', 422, 'is forbidden for resourceVersion "0"'],
    ['resourceVersion=7&resourceVersionMatch=Exact', 410, 'too old'],
    ['resourceVersion=7&resourceVersionMatch=Nearly', 422, 'Unsupported value'],
  ])('refuses %s', async (query, code, words) => {
    const answer = failure(await api.get(`${PODS}?${query}`));
    expect(answer).toEqual({
      code,
      reason: expect.any(String),
      message: expect.stringContaining(words),
    });
  });

  it('takes any version for the present one, except an exact one', async () => {
    await makeConfigMaps(1);
    const { resourceVersion } = (await api.get(CONFIG_MAPS)).json.metadata;
    for (const query of ['0', '1', `${resourceVersion}&resourceVersionMatch=Exact`]) {
      expect((await api.get(`${CONFIG_MAPS}?resourceVersion=${query}`)).code).toBe(200);
    }
  });
});

describe('forms', () => {
  it('shows tables with the objects that are asked for', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const table = await api.get(CONFIG_MAPS, TABLE);
    expect(table.json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(table.json.columnDefinitions.map((c: { name: string }) => c.name)).toEqual([
      'Name',
      'Data',
      'Age',
    ]);
    expect(table.json.rows[0].cells).toEqual(['a', 1, '0s']);
    expect(table.json.rows[0].object.kind).toBe('PartialObjectMetadata');
    const whole = await api.get(`${CONFIG_MAPS}?includeObject=Object`, TABLE);
    expect(whole.json.rows[0].object.data).toEqual({ a: '1' });
    const none = await api.get(`${CONFIG_MAPS}/a?includeObject=None`, TABLE);
    expect(none.json.rows[0].object).toBeUndefined();
  });

  it('is agreed on before anything is written', async () => {
    const headers = { accept: 'text/html' };
    const body = configMap('a');
    expect((await api.call('POST', CONFIG_MAPS, { body, headers })).code).toBe(406);
    expect((await api.get(`${CONFIG_MAPS}/a`)).code).toBe(404);
  });

  it('shows the other rows although one object is broken', async () => {
    await api.post(PODS, pod('whole'));
    const broken = pod('broken', {}, { namespace: 'default', uid: 'u', resourceVersion: '' });
    await api.store.create('pods', { ...broken, spec: null } as never);
    const { json } = await api.get(PODS, TABLE);
    expect(json.rows.map(({ cells }: { cells: unknown[] }) => [cells[0], cells[1]])).toEqual([
      ['broken', '<invalid>'],
      ['whole', '0/1'],
    ]);
  });

  it('shows metadata alone', async () => {
    await api.post(CONFIG_MAPS, configMap('a'));
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const { json } = await api.get(CONFIG_MAPS, accept);
    expect(json.kind).toBe('PartialObjectMetadataList');
    expect(Object.keys(json.items[0]).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
  });

  it.each([
    ['text/html', 406],
    ['application/vnd.kubernetes.protobuf', 406],
    ['application/json;as=Table;g=meta.k8s.io;v=v7', 406],
    ['application/json;q=0', 406],
    ['application/vnd.kubernetes.protobuf,application/json', 200],
    ['application/json, */*;q=0.8', 200],
    ['', 200],
  ])('answers %j with %i', async (accept, code) => {
    expect((await api.get(CONFIG_MAPS, accept)).code).toBe(code);
  });
});

describe('scale', () => {
  it('shows and sets the replicas', async () => {
    await api.post(DEPLOYMENTS, deployment('web'));
    const url = `${DEPLOYMENTS}/web/scale`;
    const { json } = await api.get(url);
    expect(json).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=web' },
    });
    const patched = await api.patch(url, 'merge', { spec: { replicas: 5 } });
    expect([patched.code, patched.json.spec.replicas]).toEqual([200, 5]);
    expect((await api.get(`${DEPLOYMENTS}/web`)).json).toMatchObject({
      spec: { replicas: 5 },
      metadata: { generation: 2 },
    });
    const stale = await api.put(url, json);
    expect(failure(stale)).toMatchObject({ code: 409, reason: 'Conflict' });
    const negative = await api.patch(url, 'merge', { spec: { replicas: -1 } });
    expect(failure(negative)).toMatchObject({ code: 422, reason: 'Invalid' });
    const text = await api.patch(url, 'merge', { spec: { replicas: 'many' } });
    expect(failure(text)).toMatchObject({ code: 400, reason: 'BadRequest' });
  });
});
