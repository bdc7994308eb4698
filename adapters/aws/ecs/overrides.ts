/**
 * Takes out of a definition what names its own pod, so that the pods of a ReplicaSet share one:
 * variables and arguments that hold the pod's name, uid, host name or node, and the one that holds
 * its GPUs, go into the launch's overrides, as far as ECS has room for them. What does not fit
 * stays, and costs a definition.
 */
import type {
  ContainerDefinition,
  ContainerOverride,
  KeyValuePair,
  TaskOverride,
} from '@aws-sdk/client-ecs';
import { VISIBLE_DEVICES } from '../../../shared/api/gpus.ts';
import type { TaskSpec } from '../../../shared/api/task.ts';
import type { Definition } from './task-definition.ts';

/** ECS's limit for the overrides of a launch as JSON, and some room for how it is spelled there. */
const MAX_OVERRIDES_LENGTH = 8_192;
const ROOM = 256;

export interface Split {
  readonly definition: Definition;
  readonly overrides?: TaskOverride;
}

/** One thing of a container that can be said at the launch instead. */
type Piece = { readonly container: string; readonly cost: number } & (
  | { readonly type: 'variable'; readonly name: string; readonly value: string }
  | { readonly type: 'command'; readonly words: readonly string[] }
);

export function splitOff(task: TaskSpec, given: Definition): Split {
  const marks = [task.podName, task.podUid, task.hostname, task.nodeName].filter((m) => m !== '');
  const isOwn = (text: string) => marks.some((mark) => text.includes(mark));
  const hasDevices = [...task.initContainers, ...task.containers].some(
    ({ gpuDevices = [] }) => gpuDevices.length > 0,
  );
  const isOwnVariable = ({ name, value = '' }: KeyValuePair) =>
    isOwn(value) || (hasDevices && name === VISIBLE_DEVICES && value !== 'void');
  const containers = given.containerDefinitions.map((one) => withArguments(one, isOwn));
  const taken = fitting(containers.flatMap((one) => piecesOf(one, isOwn, isOwnVariable)));
  const left = containers.map((one) => without(one, piecesIn(one, taken)));
  const definition = { ...given, containerDefinitions: left };
  const overrides = containers.flatMap((one) => overrideOf(one, piecesIn(one, taken)));
  return overrides.length === 0
    ? { definition }
    : { definition, overrides: { containerOverrides: overrides } };
}

/**
 * The entry point can't be said at the launch, arguments can. A program is run with the words of
 * both in a row, so that all but its first word may be either.
 */
function withArguments(
  container: ContainerDefinition,
  isOwn: (text: string) => boolean,
): ContainerDefinition {
  const [program, ...rest] = container.entryPoint ?? [];
  if (program === undefined || !rest.some(isOwn)) return container;
  return { ...container, entryPoint: [program], command: [...rest, ...(container.command ?? [])] };
}

function piecesOf(
  container: ContainerDefinition,
  isOwn: (text: string) => boolean,
  isOwnVariable: (variable: KeyValuePair) => boolean,
): Piece[] {
  const name = container.name ?? '';
  const variables = (container.environment ?? []).flatMap((variable): Piece[] => {
    const { name: key = '', value = '' } = variable;
    if (!isOwnVariable(variable)) return [];
    const cost = JSON.stringify(variable).length + 1;
    return [{ type: 'variable', container: name, name: key, value, cost }];
  });
  const words = container.command ?? [];
  if (!words.some(isOwn)) return variables;
  const cost = JSON.stringify(words).length + '"command":,'.length;
  return [...variables, { type: 'command', container: name, words, cost }];
}

/** As many as there is room for, the small ones first. */
function fitting(pieces: readonly Piece[]): ReadonlySet<Piece> {
  const containers = new Set(pieces.map(({ container }) => container));
  const frame = [...containers].map((name) => '{"name":"","environment":[]},'.length + name.length);
  let left = MAX_OVERRIDES_LENGTH - ROOM - frame.reduce((sum, length) => sum + length, 0);
  const taken = new Set<Piece>();
  for (const piece of [...pieces].sort((a, b) => a.cost - b.cost)) {
    if (piece.cost > left) break;
    left -= piece.cost;
    taken.add(piece);
  }
  return taken;
}

function piecesIn({ name }: ContainerDefinition, taken: ReadonlySet<Piece>): readonly Piece[] {
  return [...taken].filter((piece) => piece.container === name);
}

function without(container: ContainerDefinition, pieces: readonly Piece[]): ContainerDefinition {
  const names = new Set(pieces.flatMap((p) => (p.type === 'variable' ? [p.name] : [])));
  const { command, environment, ...rest } = container;
  const keepsCommand = command && !pieces.some(({ type }) => type === 'command');
  return {
    ...rest,
    ...(keepsCommand ? { command } : {}),
    ...(environment
      ? { environment: environment.filter(({ name }) => !names.has(name ?? '')) }
      : {}),
  };
}

function overrideOf(
  { name }: ContainerDefinition,
  pieces: readonly Piece[],
): readonly ContainerOverride[] {
  if (pieces.length === 0) return [];
  const environment = pieces.flatMap((piece) =>
    piece.type === 'variable' ? [{ name: piece.name, value: piece.value }] : [],
  );
  const command = pieces.find((piece) => piece.type === 'command')?.words;
  return [
    {
      name,
      ...(environment.length > 0 ? { environment } : {}),
      ...(command ? { command: [...command] } : {}),
    },
  ];
}
