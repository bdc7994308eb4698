/**
 * `nullplane redrive`: sends dead letters back to the queue that gave them up, once whatever failed
 * them is mended. Without harm at any time: messages carry keys, and work is idempotent.
 */
import { type DeadLetter, DeadLetters } from '../adapters/aws/sqs/dead-letters.ts';
import type { sqsClient } from '../adapters/aws/clients.ts';

export interface DeadLettersOptions {
  readonly client: ReturnType<typeof sqsClient>;
  readonly deadLettersUrl: string;
  /** At least 1. Letters that fail again die again: without an end they would go round for ever. */
  readonly max: number;
  readonly log: (line: string) => void;
}

export interface RedriveOptions extends DeadLettersOptions {
  /** Where the letters go: of the same type, FIFO or standard, as their queue. */
  readonly url: string;
}

/** A body in a line of text: keys are shorter. */
const SHOWN_CHARACTERS = 200;

/** Sends up to `max` letters back, oldest first; says each, and how many in all. */
export async function redrive(options: RedriveOptions): Promise<number> {
  const { client, deadLettersUrl, url, max, log } = options;
  if (url.endsWith('.fifo') !== deadLettersUrl.endsWith('.fifo')) {
    throw new Error('dead letters go to a queue of their own type: FIFO or standard');
  }
  const dead = new DeadLetters({ client, url: deadLettersUrl });
  const moved = await dead.move(url, max, (letter) => log(`sent back: ${shown(letter)}`));
  log(moved === max ? `${moved} sent back; there may be more` : `${moved} sent back`);
  return moved;
}

/** Says up to `max` letters, oldest first; they stay. */
export async function showDeadLetters(options: DeadLettersOptions): Promise<number> {
  const { client, deadLettersUrl, max, log } = options;
  const letters = await new DeadLetters({ client, url: deadLettersUrl }).list(max);
  for (const letter of letters) log(shown(letter));
  log(letters.length === 0 ? 'no dead letters' : `${letters.length} dead letters`);
  return letters.length;
}

function shown({ group, body }: DeadLetter): string {
  const text = body.length > SHOWN_CHARACTERS ? `${body.slice(0, SHOWN_CHARACTERS)}…` : body;
  // Control characters of a body from outside must not reach a terminal.
  return group === body ? JSON.stringify(text) : `${JSON.stringify(text)} (group ${group})`;
}
