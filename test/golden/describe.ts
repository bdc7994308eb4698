/** A pod in the words of `kubectl describe pod`, cut down to what changes in its life. */
import { GPU_DEVICES_ANNOTATION } from '../../shared/api/gpus.ts';
import type { ContainerState, ContainerStatus, Pod } from '../../shared/api/kinds/pod.ts';
import { parseTime } from '../../shared/api/time.ts';
import { EPOCH_MS } from '../world/agenda.ts';

export function describePod({ metadata, spec, status }: Pod): string {
  const conditions = (status.conditions ?? []).map(
    ({ type, status: is, reason, message }) => {
      const why = [reason, message].filter(Boolean).join(': ');
      return `  ${type.padEnd(26)}${is.padEnd(6)}${why}`.trimEnd();
    },
  );
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  return [
    `Name:     ${metadata.name}`,
    `Node:     ${spec.nodeName ?? '<none>'}`,
    ...(metadata.annotations?.[GPU_DEVICES_ANNOTATION]
      ? [`GPUs:     ${metadata.annotations[GPU_DEVICES_ANNOTATION]}`]
      : []),
    `Status:   ${metadata.deletionTimestamp ? 'Terminating' : status.phase}`,
    ...(status.reason ? [`Reason:   ${status.reason}`] : []),
    ...(status.message ? [`Message:  ${status.message}`] : []),
    'Conditions:',
    ...conditions,
    ...(containers.length > 0 ? ['Containers:'] : []),
    ...containers.flatMap(containerLines),
  ].join('\n');
}

/** The conditions of an object that is no pod, and its phase. */
export function describeConditions(given: unknown): string {
  const { conditions = [], phase } = given as Pick<Pod['status'], 'conditions'> & {
    readonly phase?: string;
  };
  const lines = conditions.map(
    ({ type, status: is, reason, message }) => `  ${type} ${is} ${reason}: ${message}`,
  );
  return [...(phase ? [`Phase: ${phase}`] : []), 'Conditions:', ...lines].join('\n');
}

function containerLines(container: ContainerStatus): readonly string[] {
  const { name, state, lastState, ready, restartCount, image } = container;
  return [
    `  ${name} (${image}): ${stateText(state)}`,
    ...(lastState ? [`    Last State: ${stateText(lastState)}`] : []),
    `    Ready: ${ready}, Restart Count: ${restartCount}`,
  ];
}

function stateText(state: ContainerState | undefined): string {
  const { waiting, running, terminated } = state ?? {};
  if (waiting) return `Waiting (${[waiting.reason, waiting.message].filter(Boolean).join(': ')})`;
  if (running) return `Running since ${sinceStart(running.startedAt)}`;
  if (!terminated) return 'Unknown';
  const { reason, exitCode, finishedAt } = terminated;
  return `Terminated (${reason}, exit code ${exitCode}) at ${sinceStart(finishedAt)}`;
}

function sinceStart(time: string | undefined): string {
  return `${((parseTime(time) ?? EPOCH_MS) - EPOCH_MS) / 1000}s`;
}
