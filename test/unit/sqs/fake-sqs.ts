/**
 * SQS as its client shows it, in memory: what the adapter calls, with failures on demand. Time does
 * not pass; a delayed message becomes due when told to.
 */
import { SQSClient } from '@aws-sdk/client-sqs';

export interface FakeMessage {
  readonly MessageId: string;
  readonly Body: string;
  readonly DelaySeconds: number;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
  readonly MessageAttributes?: object;
  receives: number;
  /** Of the last receive. */
  receipt: string;
  /** 0 when it can be received. */
  hiddenSeconds: number;
}

export interface FakeCall {
  readonly name: string;
  readonly input: Input;
}

interface Input {
  readonly QueueUrl: string;
  readonly Entries?: readonly (Partial<FakeMessage> & {
    readonly Id: string;
    readonly ReceiptHandle?: string;
    readonly MessageBody?: string;
    readonly VisibilityTimeout?: number;
  })[];
  readonly MaxNumberOfMessages?: number;
  readonly VisibilityTimeout?: number;
  readonly WaitTimeSeconds?: number;
  readonly ReceiptHandle?: string;
}

type Fault = (call: FakeCall) => object | undefined;

const DEFAULT_VISIBILITY_SECONDS = 30;

export class FakeSqs {
  readonly calls: FakeCall[] = [];
  readonly #queues = new Map<string, FakeMessage[]>();
  readonly #seen = new Set<string>();
  #count = 0;
  /** Answers in place of the service: thrown when it is an error. */
  fault: Fault = () => undefined;

  /** The client that the adapter is given; its requests end here. */
  client(): SQSClient {
    const client = new SQSClient({ region: 'us-east-1' });
    const send = (command: object): Promise<object> => this.#send(command);
    return Object.assign(client, { send });
  }

  queue(url: string): FakeMessage[] {
    const known = this.#queues.get(url) ?? [];
    this.#queues.set(url, known);
    return known;
  }

  named(name: string): FakeCall[] {
    return this.calls.filter((call) => call.name === name);
  }

  /** All delays and timeouts are over. */
  makeDue(url: string): void {
    for (const message of this.queue(url)) message.hiddenSeconds = 0;
  }

  async #send(command: object): Promise<object> {
    const call = {
      name: command.constructor.name.replace(/Command$/, ''),
      input: (command as { readonly input: Input }).input,
    };
    this.calls.push(call);
    const answer = this.fault(call);
    if (answer instanceof Error) throw answer;
    return answer ?? this.#answer(call);
  }

  #answer({ name, input }: FakeCall): object {
    switch (name) {
      case 'SendMessageBatch':
        return this.#take(input);
      case 'ReceiveMessage':
        return { Messages: this.#receive(input) };
      case 'DeleteMessage':
        return this.#delete(input.QueueUrl, [input.ReceiptHandle]);
      case 'DeleteMessageBatch':
        return this.#delete(
          input.QueueUrl,
          input.Entries?.map(({ ReceiptHandle }) => ReceiptHandle) ?? [],
        );
      case 'ChangeMessageVisibilityBatch':
        return this.#hide(input);
      default:
        throw new Error(`no ${name} here`);
    }
  }

  /** Takes the entries on, but those of `failing` ids: for faults that take a part. */
  take(input: Input, failing: readonly string[], code: string, isSender = false): object {
    const taken = input.Entries?.filter(({ Id }) => !failing.includes(Id)) ?? [];
    this.#take({ ...input, Entries: taken });
    const Failed = failing.map((Id) => ({ Id, Code: code, SenderFault: isSender, Message: code }));
    return { Successful: taken.map(({ Id }) => ({ Id })), Failed };
  }

  #take({ QueueUrl: url, Entries: entries = [] }: Input): object {
    for (const { MessageBody: body = '', DelaySeconds: delay = 0, ...entry } of entries) {
      const { MessageDeduplicationId: id } = entry;
      if (id !== undefined && this.#seen.has(url + id)) continue;
      if (id !== undefined) this.#seen.add(url + id);
      this.queue(url).push({
        ...entry,
        MessageId: `m${++this.#count}`,
        Body: body,
        DelaySeconds: delay,
        hiddenSeconds: delay,
        receives: 0,
        receipt: '',
      });
    }
    return { Successful: entries.map(({ Id }) => ({ Id })) };
  }

  #receive({ QueueUrl: url, MaxNumberOfMessages: max = 1, VisibilityTimeout: seconds }: Input) {
    const visible = this.queue(url).filter(({ hiddenSeconds }) => hiddenSeconds === 0);
    return visible.slice(0, max).map((message) => {
      message.receives++;
      message.receipt = `r${++this.#count}`;
      message.hiddenSeconds = seconds ?? DEFAULT_VISIBILITY_SECONDS;
      const group = message.MessageGroupId;
      return {
        MessageId: message.MessageId,
        Body: message.Body,
        ReceiptHandle: message.receipt,
        MessageAttributes: message.MessageAttributes,
        Attributes: {
          ApproximateReceiveCount: String(message.receives),
          SentTimestamp: message.MessageId.slice(1),
          ...(group === undefined ? {} : { MessageGroupId: group }),
        },
      };
    });
  }

  #delete(url: string, receipts: readonly (string | undefined)[]): object {
    const left = this.queue(url).filter(({ receipt }) => !receipts.includes(receipt));
    this.#queues.set(url, left);
    return { Successful: [] };
  }

  #hide({ QueueUrl: url, Entries: entries = [] }: Input): object {
    const Failed = entries.flatMap(({ Id, ReceiptHandle, VisibilityTimeout: seconds = 0 }) => {
      const message = this.queue(url).find(({ receipt }) => receipt === ReceiptHandle);
      if (message) message.hiddenSeconds = seconds;
      return message ? [] : [{ Id, Code: 'ReceiptHandleIsInvalid', SenderFault: true }];
    });
    return { Failed };
  }
}

/** An error as the SDK throws it. */
export function sdkError(name: string, status?: number): Error {
  const metadata = status === undefined ? {} : { $metadata: { httpStatusCode: status } };
  return Object.assign(new Error(`${name} happened`), { name, ...metadata });
}
