/** The command line of local mode. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type NodeGroup, parseNodeGroups } from '../shared/core/capacity/catalogue/node-groups.ts';

export type RuntimeChoice = 'auto' | 'docker' | 'simulated';

export interface LocalOptions {
  readonly port: number;
  readonly dataPath: string;
  readonly kubeconfigPath: string;
  readonly runtime: RuntimeChoice;
  /** Undefined when `--nodes` was not given: simulated nodes of an earlier start then stay. */
  readonly nodeGroups: readonly NodeGroup[] | undefined;
  readonly verbose: boolean;
  /** Where passes of the scheduler are recorded, for `nullplane replay`. */
  readonly recordPath?: string;
}

const HELP = `Nullplane on this machine: the whole control plane in one process, for real kubectl.

Usage: npm start -- [options]

  --port N          HTTPS port on 127.0.0.1 (default 7443; 0 picks a free one)
  --data FILE       where the state lives (default .nullplane/state.db); delete it to start afresh
  --kubeconfig FILE where the kubeconfig is written (default .nullplane/kubeconfig)
  --runtime KIND    auto (default): Docker when it answers, otherwise simulated tasks;
                    docker: real containers or an error; simulated: never Docker
  --nodes LIST      simulated instances beside Fargate's virtual nodes,
                    e.g. --nodes 2xg5.12xlarge,10xm7i.xlarge
  --record-decisions FILE
                    record what the scheduler decides, and from what: for nullplane replay
  --verbose         log what the control plane does, as JSON lines
  --help            this text
`;

export type Parsed =
  | { readonly type: 'run'; readonly options: LocalOptions }
  | { readonly type: 'help'; readonly text: string }
  | { readonly type: 'error'; readonly text: string };

/**
 * Reads the arguments; what can't be understood comes back as an error that says how to do better.
 */
export function parseOptions(args: readonly string[]): Parsed {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        port: { type: 'string', default: '7443' },
        data: { type: 'string', default: '.nullplane/state.db' },
        kubeconfig: { type: 'string', default: '.nullplane/kubeconfig' },
        runtime: { type: 'string', default: 'auto' },
        nodes: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        'record-decisions': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { type: 'help', text: HELP };
    const { 'record-decisions': recordPath } = values;
    return {
      type: 'run',
      options: {
        port: parsePort(values.port),
        dataPath: expandHome(values.data),
        kubeconfigPath: expandHome(values.kubeconfig),
        runtime: parseRuntime(values.runtime),
        nodeGroups: values.nodes === undefined ? undefined : parseNodeGroups(values.nodes),
        verbose: values.verbose,
        ...(recordPath === undefined ? {} : { recordPath: expandHome(recordPath) }),
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { type: 'error', text: `${reason}\n\nTry: npm start -- --help` };
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port: "${text}" is not a port between 0 and 65535`);
  }
  return port;
}

function parseRuntime(text: string): RuntimeChoice {
  if (text === 'auto' || text === 'docker' || text === 'simulated') return text;
  throw new Error(`--runtime: "${text}" is none of auto, docker, simulated`);
}

function expandHome(path: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(2)) : path;
}
