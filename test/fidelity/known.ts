/** All differences that are meant, and the table of them for people. */
import type { Known } from './differences.ts';
import { OF_ECS } from './known-ecs.ts';
import { OF_QUEUE, OF_STORE } from './known-ports.ts';
import { OF_DYNAMODB, OF_EC2, OF_SQS } from './known-services.ts';
import { type Subject, SUBJECTS } from './script.ts';

export const KNOWN: { readonly [subject in Subject]: readonly Known[] } = {
  dynamodb: OF_DYNAMODB,
  sqs: OF_SQS,
  ecs: OF_ECS,
  ec2: OF_EC2,
  store: OF_STORE,
  queue: OF_QUEUE,
};

/** In Markdown. */
export function knownTable(): string {
  const rows = SUBJECTS.flatMap((subject) =>
    KNOWN[subject].map(({ model, of, where, path, because, source }) => {
      const steps = where.map((one) => (one === '*' ? 'all' : one)).join('; ');
      return [`${subject}, ${model}`, of.join(', '), steps, `\`${path}\``, because, source];
    }),
  );
  const head = ['model', 'differs from', 'scenario / step', 'in', 'because', 'source'];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.map((line) => line.replaceAll(/(?<!`)\*(?!`)/g, '\\*')).join('\n');
}

const BEGIN = '<!-- known differences -->';
const END = '<!-- end -->';

/** The document with the table as it is. */
export function withTable(document: string): string {
  const [before = ''] = document.split(BEGIN);
  const after = document.split(END).at(-1) ?? '';
  return `${before}${BEGIN}\n\n${knownTable()}\n\n${END}${after}`;
}
