/**
 * The vault in SSM's Parameter Store: a part is a SecureString parameter under the installation's
 * prefix, encrypted by KMS and free of charge up to 4 KiB. Task definitions name it by its name.
 *
 * Invariants:
 *  V1 A parameter's value never changes: its name holds an id that is used once.
 *  V2 No value is in an error, a description, a tag or a log.
 *  V3 What SSM throttles waits here, for some seconds, and then is `VaultUnavailable`: PutParameter
 *     is good for 3 calls a second in an account, so that a Secret of 30 keys takes 10 seconds.
 */
import {
  DeleteParametersCommand,
  DescribeParametersCommand,
  GetParametersCommand,
  type Parameter,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { partNames, type VaultRef } from '../../../shared/api/vault-ref.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { joined, PART_BYTES, parted } from '../../../shared/ports/vault-kit.ts';
import {
  type SecretValues,
  type Vault,
  type VaultPage,
  VaultTooLarge,
} from '../../../shared/ports/vault.ts';
import { isThrottled, vaultError } from './errors.ts';

export interface SsmVaultOptions {
  readonly client: SSMClient;
  readonly clock: Clock;
  /** Such as `/nullplane/secrets`; it may not begin with `/aws` or `/ssm`. */
  readonly prefix: string;
  /** A key of one's own; the account's `alias/aws/ssm` when absent. */
  readonly kmsKeyId?: string;
  /** Values of 4 to 8 KiB become advanced parameters: one part, at a price by the month. */
  readonly advanced?: boolean;
  /** Parameters of one content; `MAX_PARTS` when absent. Raise it with SSM's higher throughput. */
  readonly maxParts?: number;
}

/**
 * More than 3 calls a second write within an API request: what has more parts is refused at once,
 * rather than given up on half-way, time after time.
 */
export const MAX_PARTS = 64;
const ADVANCED_PART_BYTES = 8192;

/** SSM's own limits of a call. */
const GET_BATCH = 10;
const DELETE_BATCH = 10;
const DESCRIBE_PAGE = 50;

/** Enough to use up the account's rate, few enough not to provoke its throttling. */
const CONCURRENT_WRITES = 3;
const CONCURRENT_READS = 4;

/** Below the 30 s that an API gateway waits for an answer. */
const PATIENCE_MS = 25_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 2_000;

/** A parameter that was just written may not be found at once. */
const LOOKS = 3;
const LOOK_AGAIN_MS = 250;

export class SsmVault implements Vault {
  readonly #options: SsmVaultOptions;

  constructor(options: SsmVaultOptions) {
    if (!/^(\/[A-Za-z0-9._-]+)+$/.test(options.prefix) || /^\/(aws|ssm)/i.test(options.prefix)) {
      throw new RangeError(`no prefix of SSM parameters: ${options.prefix}`);
    }
    this.#options = options;
  }

  async put(id: string, values: SecretValues): Promise<VaultRef> {
    const { prefix, advanced, maxParts = MAX_PARTS } = this.#options;
    const partBytes = advanced ? ADVANCED_PART_BYTES : PART_BYTES;
    const { ref, texts } = parted(`${prefix}/${id}`, values, partBytes);
    if (texts.size > maxParts) {
      throw new VaultTooLarge(
        `the values take ${texts.size} parameters of ${partBytes} bytes: ${maxParts} are allowed`,
      );
    }
    const untilMs = this.#untilMs();
    await sideBySide([...texts], CONCURRENT_WRITES, ([name, text]) =>
      this.#putPart(name, text, untilMs),
    );
    return ref;
  }

  async get(refs: readonly VaultRef[]): Promise<ReadonlyMap<string, SecretValues>> {
    const texts = await this.#texts([...new Set(refs.flatMap(partNames))]);
    const found = new Map<string, SecretValues>();
    for (const ref of refs) {
      const values = joined(ref, (name) => texts.get(name));
      if (values) found.set(ref.id, values);
    }
    return found;
  }

  async remove(names: readonly string[]): Promise<void> {
    const untilMs = this.#untilMs();
    const batches = inBatches(names, DELETE_BATCH);
    await sideBySide(batches, CONCURRENT_WRITES, async (batch) => {
      const command = new DeleteParametersCommand({ Names: batch });
      await this.#patiently('DeleteParameters', untilMs, () => this.#options.client.send(command));
    });
  }

  /** By DescribeParameters, which can't show a value: who sweeps needs no right to read any. */
  async list(after?: string): Promise<VaultPage> {
    const { client, prefix } = this.#options;
    const command = new DescribeParametersCommand({
      ParameterFilters: [{ Key: 'Path', Option: 'Recursive', Values: [prefix] }],
      MaxResults: DESCRIBE_PAGE,
      ...(after === undefined ? {} : { NextToken: after }),
    });
    const { Parameters = [], NextToken } = await this.#patiently(
      'DescribeParameters',
      this.#untilMs(),
      () => client.send(command),
    );
    const parts = Parameters.flatMap(({ Name: name, LastModifiedDate: written }) =>
      name === undefined || !written ? [] : { name, writtenAtMs: written.getTime() },
    );
    return NextToken ? { parts, next: NextToken } : { parts };
  }

  async #putPart(name: string, text: string, untilMs: number): Promise<void> {
    const { client, kmsKeyId } = this.#options;
    const isLarge = new TextEncoder().encode(text).length > PART_BYTES;
    const command = new PutParameterCommand({
      Name: name,
      Value: text,
      Type: 'SecureString',
      Tier: isLarge ? 'Advanced' : 'Standard',
      // The very same value: a repeat after a lost answer.
      Overwrite: true,
      ...(kmsKeyId === undefined ? {} : { KeyId: kmsKeyId }),
    });
    await this.#patiently('PutParameter', untilMs, () => client.send(command));
  }

  /** The parts that are there, by name. */
  async #texts(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const texts = new Map<string, string>();
    let missing = names;
    for (let look = 1; missing.length > 0 && look <= LOOKS; look++) {
      if (look > 1) await this.#options.clock.delay(LOOK_AGAIN_MS);
      const untilMs = this.#untilMs();
      await sideBySide(inBatches(missing, GET_BATCH), CONCURRENT_READS, async (batch) => {
        for (const { Name, Value } of await this.#read(batch, untilMs)) {
          if (Name !== undefined && Value !== undefined) texts.set(Name, Value);
        }
      });
      missing = missing.filter((name) => !texts.has(name));
    }
    return texts;
  }

  async #read(names: string[], untilMs: number): Promise<readonly Parameter[]> {
    const command = new GetParametersCommand({ Names: names, WithDecryption: true });
    const send = () => this.#options.client.send(command);
    return (await this.#patiently('GetParameters', untilMs, send)).Parameters ?? [];
  }

  #untilMs(): number {
    return this.#options.clock.nowMs() + PATIENCE_MS;
  }

  /** Does the call, again while it is throttled and there is time (V3). Throws `vaultError`s. */
  async #patiently<T>(operation: string, untilMs: number, call: () => Promise<T>): Promise<T> {
    const { clock } = this.#options;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        return await call();
      } catch (thrown) {
        const isOver = clock.nowMs() + waitMs > untilMs;
        if (!isThrottled(thrown) || isOver) throw vaultError(operation, thrown);
      }
      await clock.delay(waitMs);
    }
  }
}

function inBatches(names: readonly string[], size: number): string[][] {
  const batches: string[][] = [];
  for (let at = 0; at < names.length; at += size) batches.push(names.slice(at, at + size));
  return batches;
}

/** The first failure ends the work: what has begun is finished, and nothing else is begun. */
async function sideBySide<T>(
  items: readonly T[],
  atATime: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        await work(item);
      } catch (error) {
        left.length = 0;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: atATime }, worker));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
}
