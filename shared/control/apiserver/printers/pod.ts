/** Pods as `kubectl get pods` shows them. The STATUS word is the most telling reason there is. */
import { findCondition, isTrue } from '../../../api/conditions.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../../api/kinds/pod.ts';
import { parseTime } from '../../../api/time.ts';
import { isSidecar } from '../../../core/pod/phase.ts';
import { age, ageColumn, column, nameColumn, orNone, printer, wide } from './columns.ts';

const wideText = (name: string, doc: string, text: (pod: Pod) => string | undefined) =>
  wide(column<Pod>(name, doc, (pod) => orNone(text(pod))));

export const podPrinter = printer<Pod>(
  nameColumn,
  column('Ready', 'Containers that are ready, of all.', (pod) => {
    const statuses = restartable(pod);
    return `${statuses.filter(({ ready }) => ready).length}/${containerCount(pod)}`;
  }),
  column('Status', 'The most telling word about the state of the pod.', podStatusWord),
  column('Restarts', 'How often containers were started again.', restarts),
  ageColumn,
  wideText('IP', 'The address of the pod.', (pod) => pod.status.podIP),
  wideText('Node', 'Where the pod runs.', (pod) => pod.spec.nodeName),
  wideText('Nominated Node', 'Where room is being made.', (pod) => pod.status.nominatedNodeName),
  wideText('Readiness Gates', 'Further conditions of being ready.', readinessGates),
);

/** The containers that count as running side by side: sidecars are among them. */
function restartable(pod: Pod): readonly ContainerStatus[] {
  const names = sidecarsOf(pod);
  const sidecars = (pod.status.initContainerStatuses ?? []).filter(({ name }) => names.has(name));
  return [...sidecars, ...(pod.status.containerStatuses ?? [])];
}

function containerCount(pod: Pod): number {
  return pod.spec.containers.length + sidecarsOf(pod).size;
}

function sidecarsOf(pod: Pod): ReadonlySet<string> {
  return new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
}

function readinessGates(pod: Pod): string | undefined {
  const gates = pod.spec.readinessGates;
  if (!gates || gates.length === 0) return undefined;
  const met = gates.filter((gate) => isTrue(pod.status.conditions, gate.conditionType));
  return `${met.length}/${gates.length}`;
}

export function podStatusWord(pod: Pod): string {
  const word = initWord(pod) ?? containersWord(pod);
  if (pod.metadata.deletionTimestamp === undefined) return word;
  if (pod.status.reason === 'NodeLost') return 'Unknown';
  const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
  return isOver ? word : 'Terminating';
}

function phaseWord(pod: Pod): string {
  const scheduled = findCondition(pod.status.conditions, 'PodScheduled');
  if (scheduled?.reason === 'SchedulingGated') return 'SchedulingGated';
  return pod.status.reason || pod.status.phase;
}

/** While init containers have not all succeeded, theirs is the word. */
function initWord(pod: Pod): string | undefined {
  const statuses = pod.status.initContainerStatuses ?? [];
  const total = pod.spec.initContainers?.length ?? 0;
  if (isTrue(pod.status.conditions, 'Initialized')) return undefined;
  const sidecars = sidecarsOf(pod);
  for (const [index, status] of statuses.entries()) {
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (status.started === true && sidecars.has(status.name)) continue;
    if (terminated) return `Init:${endWord(terminated)}`;
    const reason = waiting?.reason;
    if (reason && reason !== 'PodInitializing' && reason !== 'ContainerCreating') {
      return `Init:${reason}`;
    }
    return `Init:${index}/${total}`;
  }
  return undefined;
}

/** The first container that has something to tell is what the user wants to know of. */
function containersWord(pod: Pod): string {
  const statuses = pod.status.containerStatuses ?? [];
  const told = statuses.map(({ state }) => stateWord(state)).find(Boolean) ?? phaseWord(pod);
  const running = statuses.some(({ ready, state }) => ready && state?.running);
  if (told !== 'Completed' || !running) return told;
  return isTrue(pod.status.conditions, 'Ready') ? 'Running' : 'NotReady';
}

function stateWord(state: ContainerState | undefined): string | undefined {
  if (state?.waiting?.reason) return state.waiting.reason;
  return state?.terminated && endWord(state.terminated);
}

function endWord(end: NonNullable<ContainerState['terminated']>): string {
  return end.reason || (end.signal ? `Signal:${end.signal}` : `ExitCode:${end.exitCode}`);
}

/** `3 (5m ago)`: how often, and how long since the last end. */
function restarts(pod: Pod, nowMs: number): string {
  const statuses = isTrue(pod.status.conditions, 'Initialized')
    ? restartable(pod)
    : [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])];
  const count = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = statuses
    .flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? [])
    .sort((a, b) => (parseTime(b) ?? 0) - (parseTime(a) ?? 0))[0];
  return count > 0 && last ? `${count} (${age(last, nowMs)} ago)` : String(count);
}
