/**
 * The kubeconfig of a server with its own authority and a bearer token. JSON is YAML: kubectl reads
 * it as it is.
 */

export interface KubeconfigOptions {
  /** Such as https://127.0.0.1:6443. */
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
  /** Names the cluster, the user and the context. */
  readonly name: string;
}

export function kubeconfig({ server, caPem, token, name }: KubeconfigOptions): string {
  const authority = Buffer.from(caPem).toString('base64');
  const q = (text: string) => JSON.stringify(text);
  return [
    'apiVersion: v1',
    'kind: Config',
    `current-context: ${q(name)}`,
    'clusters:',
    `- name: ${q(name)}`,
    '  cluster:',
    `    server: ${q(server)}`,
    `    certificate-authority-data: ${authority}`,
    'users:',
    `- name: ${q(name)}`,
    '  user:',
    `    token: ${q(token)}`,
    'contexts:',
    `- name: ${q(name)}`,
    '  context:',
    `    cluster: ${q(name)}`,
    `    user: ${q(name)}`,
    '    namespace: default',
    '',
  ].join('\n');
}
