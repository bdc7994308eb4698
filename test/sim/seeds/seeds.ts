/**
 * Seeds that have found a defect of the product, each with what was wrong: they are run with every
 * test. A seed means another run once what is drawn changes; that a defect does not come back is
 * held by its unit test, and the defect itself is planted again by `npm run sim:defects`.
 */
import { parseFaults } from '../faults/fault.ts';
import type { Job } from '../plans/job.ts';

export interface KnownSeed extends Job {
  /** The planted defect that stands for it. */
  readonly defect: string;
  readonly aws?: true;
  readonly what: string;
}

export const KNOWN_SEEDS: readonly KnownSeed[] = [
  { seed: 113, defect: 'unreadableStops', what: 'a pod without resources stopped its cell' },
  { seed: 378, defect: 'unreadableStops', what: 'an amount that is none stopped its cell' },
  { seed: 221, defect: 'ledgerAnew', what: 'a ledger came back without what ran on its node' },
  { seed: 357, defect: 'refusedBlocks', what: 'a refused revision held up the one that mends it' },
  { seed: 1300, defect: 'unknownSets', what: 'each look made another ReplicaSet' },
  { seed: 893, defect: 'objectIsMachine', what: 'pods were removed beside tasks that ran on' },
  { seed: 2194, defect: 'emptyIsReadable', what: 'a pod without containers held no room' },
  { seed: 2986, defect: 'adoptsWithoutNode', what: 'a restored pod was given a second task' },
  { seed: 1940, defect: 'oldLookActs', what: 'a thawed look made pods beside those made since' },
  { seed: 4015, defect: 'oldConditionCounts', what: 'a fault of last week tainted a machine' },
  { seed: 5789, defect: 'adoptsUnknownDevices', what: 'a restored pod ran on GPUs of others' },
  { seed: 7215, defect: 'unreadableStays', what: 'a spoilt pod could not be deleted' },
  { seed: 7245, defect: 'adoptsUnentered', what: 'a restored pod was in no ledger' },
  { seed: 5342, defect: 'mirrorLags', what: 'a kept list lacked what its index had not shown' },
  { seed: 7994, defect: 'indexLetsGo', what: 'an owner went on the word of an index' },
  { seed: 9545, defect: 'grantOlderThanPod', what: 'a grant was taken for that of a namesake' },
  { seed: 9235, defect: 'setMakesStrangers', what: 'a spoilt set made pods without end' },
  { seed: 21, script: 'nodeless', defect: 'ledgerStaysLost', what: 'a node had lost its ledger' },
  {
    ...{ seed: 1, script: 'setBackRoom', faults: parseFaults('crashAfter@380+blackout') },
    ...{ defect: 'adoptsUnentered', what: 'a restored pod stayed out of a ledger for a day' },
  },
  {
    ...{ seed: 1, script: 'unweighed', faults: parseFaults('zombie@47') },
    ...{ defect: 'unreadableStays', what: 'a spoilt pod went before its launch came' },
  },
  { seed: 7, defect: 'ledgerForgetsBatch', aws: true, what: 'old word of a live task ended it' },
  { seed: 59, defect: 'anyRegistration', aws: true, what: 'a garbled event took a node for lost' },
  { seed: 396, defect: 'roomlessIsBelieved', aws: true, what: 'a garbled event took all room' },
  { seed: 240, defect: 'oldNewsCounts', aws: true, what: 'last week took a node of now for lost' },
];
