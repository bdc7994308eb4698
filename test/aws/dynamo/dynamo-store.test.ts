/** The store's contract over DynamoDB as MiniStack and moto have it. */
import { afterAll, beforeAll, describe } from 'vitest';
import { DynamoStore } from '../../../adapters/aws/dynamo/dynamo-store.ts';
import type { Skip } from '../../contract/contract.ts';
import { storeContract } from '../../contract/store.contract.ts';
import { type Emulator, type EmulatorName, startEmulator } from '../support/emulators.ts';
import { freshTable } from './tables.ts';

const OF_DYNAMODB: readonly Skip[] = [
  {
    test: 'each commit is told once, in order, with the state before',
    reason: "the table's stream tells of commits, to another process: lambdas/router",
  },
];

const RACE =
  'moto serves requests in threads and checks a condition and writes without a lock between: two ' +
  'that come at once may both win';
const OF_MOTO: readonly Skip[] = [
  'of many who write one version, one wins',
  'writes made at once that fail do not disturb the others',
  'writers at once and a watcher between them: nothing is missed, nothing goes back',
].map((test) => ({ test, reason: RACE }));

function overEmulator(name: EmulatorName, skip: readonly Skip[]): void {
  let emulator: Emulator | undefined;
  beforeAll(async () => {
    emulator = await startEmulator(name);
  });
  afterAll(() => emulator?.stop());
  storeContract({
    name: `DynamoStore on ${name}`,
    keeps: 'time',
    skip,
    make: ({ clock, keptMs }) => {
      if (!emulator) throw new Error(`${name} did not start`);
      return new DynamoStore({
        ...freshTable(emulator),
        clock,
        ...(keptMs !== undefined && { keptMs }),
      });
    },
  });
}

describe('ministack', () => overEmulator('ministack', OF_DYNAMODB));
describe('moto', () => overEmulator('moto', [...OF_DYNAMODB, ...OF_MOTO]));
