/** What the contract test applies. JSON, which kubectl takes as YAML. */

export function web(replicas: number, image = 'app:1'): string {
  const labels = { app: 'web' };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'app', image, ports: [{ containerPort: 80 }] }],
        },
      },
    },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
  };
  return listOf(deployment, service);
}

export function configMap(name: string, data: object = { key: 'value' }): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}

export function namespace(name: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

export function node(name: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
}

export function pod(name: string, nodeName?: string): string {
  const containers = [{ name: 'app', image: 'app:1' }];
  const spec = { containers, ...(nodeName !== undefined && { nodeName }) };
  const metadata = { name, labels: { app: 'single' } };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec });
}

export function nodePool(name: string, more: readonly object[] = []): string {
  const requirements = [{ key: 'team', operator: 'In', values: ['a'] }, ...more];
  return JSON.stringify({
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name },
    spec: { template: { spec: { requirements } }, limits: { cpu: '100' }, weight: 10 },
  });
}

export function podGroup(name: string): string {
  return JSON.stringify({
    apiVersion: 'scheduling.x-k8s.io/v1alpha1',
    kind: 'PodGroup',
    metadata: { name },
    spec: { minMember: 4, scheduleTimeoutSeconds: 60 },
  });
}

function listOf(...items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
