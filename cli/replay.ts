/**
 * `nullplane replay` decides recorded passes again, and shows of one pod what every node was to it.
 * `nullplane explain` shows the decision that is kept with a pod.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { rfc3339 } from '../shared/api/time.ts';
import type { MachineType } from '../shared/core/capacity/machine-type.ts';
import type { Inspection } from '../shared/core/scheduling/choices.ts';
import {
  type Answer,
  type RecordedPass,
  RECORDING_FORMAT,
  replayed,
} from '../shared/core/scheduling/recording.ts';
import { clusterAccess, ClusterReader, kubeconfigPath } from './cluster.ts';
import { type Io, UsageError } from './io.ts';
import { table } from './table.ts';

/** Of nodes that refuse a pod, or would take it, so many are shown. */
const SHOWN_NODES = 20;

/** 0: all passes gave the recorded answers. 1: some did not. */
export function replayCommand(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { pod: { type: 'string' } },
    allowPositionals: true,
  });
  const [path, ...more] = positionals;
  if (!path || more.length > 0) throw new UsageError('which recording? Give one FILE');
  const { pod } = values;
  const name = pod === undefined || pod.includes('/') ? pod : `default/${pod}`;
  let different = 0;
  let shown = 0;
  for (const { pass, types } of passesOf(path)) {
    const { answer, isSame, inspection } = replayed(pass, types, name);
    if (!isSame) different++;
    if (name !== undefined && !inspection) continue;
    io.print(`${rfc3339(pass.nowMs)} ${answer.input} ${summary(answer)}: ${verdict(isSame)}\n`);
    if (inspection) io.print(inspectionText(inspection, name ?? '', answer));
    shown++;
  }
  if (shown === 0) throw new Error(name ? `no pass of ${path} tried ${name}` : `${path} is empty`);
  return Promise.resolve(different > 0 ? 1 : 0);
}

const verdict = (isSame: boolean) => (isSame ? 'the same answer' : 'ANOTHER ANSWER');

function summary({ placed, left, machines, preempting }: Answer): string {
  const counts = [
    [Object.keys(placed).length, 'placed'],
    [machines.length, 'to launch'],
    [Object.keys(preempting).length, 'preempting'],
    [Object.keys(left).length, 'left'],
  ] as const;
  return counts.flatMap(([count, what]) => (count > 0 ? `${count} ${what}` : [])).join(', ');
}

interface Line {
  readonly pass: RecordedPass;
  readonly types: readonly MachineType[];
}

function* passesOf(path: string): Generator<Line> {
  let types: readonly MachineType[] = [];
  for (const [index, text] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (text.trim() === '') continue;
    const line = lineOf(text, `${path}, line ${index + 1}`);
    if ('types' in line) types = line.types;
    else if (line.format === RECORDING_FORMAT) yield { pass: line, types };
    else throw new Error(`${path} is of a form that is not known: ${String(line.format)}`);
  }
}

function lineOf(text: string, at: string): RecordedPass | { readonly types: Line['types'] } {
  try {
    return JSON.parse(text) as RecordedPass;
  } catch {
    throw new Error(`${at} is not JSON: was it cut off?`);
  }
}

function inspectionText({ nodes }: Inspection, name: string, answer: Answer): string {
  const open = nodes.flatMap((one) => ('scores' in one ? [one] : []));
  const ranked = open.toSorted((a, b) => b.scores.total - a.scores.total).slice(0, SHOWN_NODES);
  const rows = ranked.map(({ node, scores: { total, parts } }) => {
    const told = Object.entries(parts).filter(([, value]) => value !== 0);
    return [node, total.toFixed(1), told.map(([of, n]) => `${of} ${n.toFixed(1)}`).join(', ')];
  });
  const refusals = nodes.flatMap((one) => ('filter' in one ? [one] : []));
  const refused = refusals
    .slice(0, SHOWN_NODES)
    .map(({ node, filter, reasons }) => [node, filter, reasons.join(', ')]);
  const right = new Set([1]);
  return [
    `${name}: ${answer.placed[name] ?? answer.left[name] ?? 'waits'}\n`,
    ...(rows.length > 0 ? [table([['NODE', 'SCORE', 'OF WHICH'], ...rows], right)] : []),
    ...cut(open.length, 'more would take it'),
    ...(refused.length > 0 ? [table([['NODE', 'REFUSED BY', 'WHY'], ...refused])] : []),
    ...cut(refusals.length, 'more refused it'),
  ].join('');
}

function cut(count: number, what: string): readonly string[] {
  return count > SHOWN_NODES ? [`${count - SHOWN_NODES} ${what}\n`] : [];
}

export async function explainCommand(args: readonly string[], io: Io): Promise<number> {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      namespace: { type: 'string', short: 'n', default: 'default' },
      ...{ kubeconfig: text, context: text },
    },
    allowPositionals: true,
  });
  const [given = '', ...more] = positionals;
  const name = /^pods?\/([a-z0-9.-]+)$/.exec(given)?.[1];
  if (!name || more.length > 0) throw new UsageError('which pod? Give pod/NAME');
  const access = clusterAccess(kubeconfigPath(values.kubeconfig, io), values.context, io);
  const path = `/api/v1/namespaces/${encodeURIComponent(values.namespace)}/pods/${name}/decision`;
  const answer = (await new ClusterReader(access).get(path)) as { readonly decision: unknown };
  io.print(`${JSON.stringify(answer.decision, null, 2)}\n`);
  return 0;
}
