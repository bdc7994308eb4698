/** Deployments and ReplicaSets. */
import type { LabelSelector } from '../kinds/affinity.ts';
import type { PodTemplate } from '../kinds/pod.ts';
import type { Deployment, DeploymentSpec, ReplicaSet } from '../kinds/workloads.ts';
import { matchesSelector } from '../selectors.ts';
import type { Faults } from './faults.ts';
import { checkImmutable } from './metadata.ts';
import { checkTemplate } from './pod.ts';
import { checkSelector } from './selector.ts';
import { checkShare } from './share.ts';

export function checkDeployment({ spec }: Deployment, faults: Faults): void {
  checkReplicas(spec, 'deployment', faults);
  checkStrategy(spec.strategy, faults);
  faults.notNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit);
  const { progressDeadlineSeconds: deadline, minReadySeconds } = spec;
  faults.notNegative('spec.progressDeadlineSeconds', deadline);
  if (deadline <= minReadySeconds) {
    const field = 'spec.progressDeadlineSeconds';
    faults.invalid(field, deadline, 'must be greater than minReadySeconds');
  }
}

export function checkReplicaSet({ spec }: ReplicaSet, faults: Faults): void {
  checkReplicas(spec, 'replicaset', faults);
}

export function checkSelectorUpdate(
  next: Deployment | ReplicaSet,
  old: Deployment | ReplicaSet,
  faults: Faults,
): void {
  checkImmutable('spec.selector', next.spec.selector, old.spec.selector, faults);
}

interface Replicated {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: LabelSelector;
  readonly template?: PodTemplate;
}

function checkReplicas(spec: Replicated, kind: string, faults: Faults): void {
  const { replicas, minReadySeconds, selector, template } = spec;
  faults.notNegative('spec.replicas', replicas);
  faults.notNegative('spec.minReadySeconds', minReadySeconds);
  checkSelector(selector, 'spec.selector', faults);
  if (!selector.matchLabels && !selector.matchExpressions) {
    faults.invalid('spec.selector', selector, `empty selector is invalid for ${kind}`);
  }
  if (!template) {
    faults.required('spec.template');
    return;
  }
  const labels = template.metadata.labels ?? {};
  if (!matchesSelector(selector, labels)) {
    const detail = '`selector` does not match template `labels`';
    faults.invalid('spec.template.metadata.labels', labels, detail);
  }
  checkTemplate(template, 'spec.template', faults);
}

function checkStrategy(strategy: DeploymentSpec['strategy'], faults: Faults): void {
  const field = 'spec.strategy.rollingUpdate';
  const { type, rollingUpdate } = strategy;
  if (type === 'Recreate') {
    if (!rollingUpdate) return;
    faults.forbidden(field, "may not be specified when strategy `type` is 'Recreate'");
    return;
  }
  if (!rollingUpdate) {
    faults.required(field, 'this should be defaulted and never be nil');
    return;
  }
  const { maxSurge, maxUnavailable } = rollingUpdate;
  const surge = checkShare(maxSurge, `${field}.maxSurge`, faults);
  const unavailable = checkShare(maxUnavailable, `${field}.maxUnavailable`, faults);
  if (surge === 0 && unavailable === 0) {
    const detail = 'may not be 0 when `maxSurge` is 0';
    faults.invalid(`${field}.maxUnavailable`, maxUnavailable, detail);
  }
  if (typeof maxUnavailable === 'string' && (unavailable ?? 0) > 100) {
    faults.invalid(`${field}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%');
  }
}
