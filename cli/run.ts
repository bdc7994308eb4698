/** Which command is meant, and what becomes of its failures. Exit codes: 0, 1 failed, 2 misused. */
import { deadLettersCommand, redriveCommand } from './dead-letters.ts';
import { HELP } from './help.ts';
import { type Io, UsageError } from './io.ts';
import { kubeconfigCommand } from './kubeconfig.ts';
import { planCommand } from './plan.ts';
import { explainCommand, replayCommand } from './replay.ts';
import { tokenCommand } from './token.ts';

/** Answers with the exit code where it is not always 0. */
type Command = (args: readonly string[], io: Io) => Promise<number | void>;

const COMMANDS = new Map<string, Command>([
  ['kubeconfig', kubeconfigCommand],
  ['token', tokenCommand],
  ['dead-letters', deadLettersCommand],
  ['redrive', redriveCommand],
  ['plan', planCommand],
  ['replay', replayCommand],
  ['explain', explainCommand],
]);
const ASKS_FOR_HELP = new Set(['help', '--help', '-h']);

export async function run(args: readonly string[], io: Io): Promise<number> {
  const [name = '', ...rest] = args;
  if (ASKS_FOR_HELP.has(name) || rest.some((word) => word === '--help' || word === '-h')) {
    io.print(HELP);
    return 0;
  }
  try {
    const command = COMMANDS.get(name);
    if (!command) throw new UsageError(name ? `there is no command "${name}"` : 'which command?');
    return (await command(rest, io)) ?? 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isMisuse = error instanceof UsageError || isUnknownOption(error);
    io.tell(`nullplane: ${reason}\n${isMisuse ? 'Try: nullplane help\n' : ''}`);
    return isMisuse ? 2 : 1;
  }
}

/** As Node's own parser of arguments says it. */
function isUnknownOption(error: unknown): boolean {
  const code = (error as Partial<NodeJS.ErrnoException> | null)?.code ?? '';
  return code.startsWith('ERR_PARSE_ARGS');
}
