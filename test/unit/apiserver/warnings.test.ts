/** Warnings of fields that are stored but not honoured: who hears of them, and when. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type Answer, deployment, DEPLOYMENTS, TestApi } from './api.ts';

const DNS = 'spec.template.spec.dnsConfig: dnsConfig has no effect yet';
const SYSCTLS = 'spec.template.spec.securityContext.sysctls: sysctls have no effect';

let api: TestApi;
beforeEach(async () => {
  api = await TestApi.withSystemObjects();
});

type Json = { [field: string]: unknown };

function workload(podFields: Json = {}, labels: Json = {}): Json {
  const { spec, ...rest } = deployment('web') as { spec: { template: { spec: Json } } };
  const template = { ...spec.template, spec: { ...spec.template.spec, ...podFields } };
  return { ...rest, metadata: { name: 'web', labels }, spec: { ...spec, template } };
}

const dnsConfig = { nameservers: ['10.0.0.10'] };
const sysctls = { securityContext: { sysctls: [{ name: 'a', value: 'b' }] } };
const inTemplate = (podFields: Json) => ({ spec: { template: { spec: podFields } } });

/** The texts, out of their `299 - "…"`. */
function warnings({ headers }: Answer): string[] {
  return [headers['warning'] ?? []].flat().map((text) => text.slice('299 - "'.length, -1));
}

describe('a field that is not honoured', () => {
  it('is warned of when an object is created with it, also in a dry run', async () => {
    const body = workload({ dnsConfig });
    expect(warnings(await api.post(`${DEPLOYMENTS}?dryRun=All`, body))).toEqual([DNS]);
    expect(warnings(await api.post(DEPLOYMENTS, body))).toEqual([DNS]);
  });

  it.each<[string, (api: TestApi) => Promise<Answer>]>([
    [
      'a label',
      (to) => to.patch(`${DEPLOYMENTS}/web`, 'merge', { metadata: { labels: { a: '' } } }),
    ],
    ['the scale', (to) => to.patch(`${DEPLOYMENTS}/web/scale`, 'merge', { spec: { replicas: 2 } })],
    ['the status', (to) => to.patch(`${DEPLOYMENTS}/web/status`, 'merge', { status: {} })],
    ['a replacement', (to) => to.put(`${DEPLOYMENTS}/web`, workload({ dnsConfig }, { a: 'b' }))],
  ])('is not warned of again when %s is written', async (_, write) => {
    await api.post(DEPLOYMENTS, workload({ dnsConfig }));
    const answer = await write(api);
    expect([answer.code, warnings(answer)]).toEqual([200, []]);
  });

  it.each<[string, (api: TestApi) => Promise<Answer>]>([
    ['a merge patch', (to) => to.patch(`${DEPLOYMENTS}/web`, 'merge', inTemplate(sysctls))],
    ['a strategic patch', (to) => to.patch(`${DEPLOYMENTS}/web`, 'strategic', inTemplate(sysctls))],
    ['a replacement', (to) => to.put(`${DEPLOYMENTS}/web`, workload({ dnsConfig, ...sysctls }))],
  ])('is warned of when %s adds it beside another', async (_, write) => {
    await api.post(DEPLOYMENTS, workload({ dnsConfig }));
    expect(warnings(await write(api))).toEqual([SYSCTLS]);
  });

  it('is warned of at the first server-side apply, not at those that repeat it', async () => {
    const apply = () =>
      api.patch(`${DEPLOYMENTS}/web?fieldManager=me`, 'apply', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        ...workload({ dnsConfig }),
      });
    expect(warnings(await apply())).toEqual([DNS]);
    expect(warnings(await apply())).toEqual([]);
  });
});

describe('an unknown field', () => {
  it('is warned of whenever it is sent: it is never stored', async () => {
    await api.post(DEPLOYMENTS, workload());
    const typo = () => api.patch(`${DEPLOYMENTS}/web`, 'merge', { spec: { replica: 1 } });
    for (const answer of [await typo(), await typo()]) {
      expect(warnings(answer)).toEqual(['unknown field \\"spec.replica\\"']);
    }
  });
});
