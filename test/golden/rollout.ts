/**
 * What `kubectl rollout undo` computes by itself: the template of the revision before, as a JSON
 * patch.
 */
import type { AnyObject } from '../../shared/api/meta.ts';
import { controllerOf } from '../../shared/api/meta.ts';

const REVISION = 'deployment.kubernetes.io/revision';
const HASH = 'pod-template-hash';

export function undo(deployment: string, replicaSets: readonly AnyObject[]): readonly object[] {
  const revision = (set: AnyObject) => Number(set.metadata.annotations?.[REVISION] ?? 0);
  const own = replicaSets.filter((set) => controllerOf(set)?.name === deployment);
  const [, previous] = own.sort((a, b) => revision(b) - revision(a));
  if (!previous) throw new Error(`no rollout history found for deployment ${deployment}`);
  const { template } = previous['spec'] as {
    readonly template: { readonly metadata: { readonly labels: { [key: string]: string } } };
  };
  const { [HASH]: _hash, ...labels } = template.metadata.labels;
  const value = { ...template, metadata: { ...template.metadata, labels } };
  return [{ op: 'replace', path: '/spec/template', value }];
}
