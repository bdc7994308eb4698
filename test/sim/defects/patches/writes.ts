/** Planted defects: writes and their conditions. */
import type { Patches } from '../patch.ts';

export const OF_WRITES = {
  noExpectedVersion: {
    what: 'the store does not compare versions',
    file: 'shared/ports/store-kit.ts',
    find: 'stored?.uid === expected.uid && stored.resourceVersion === expected.resourceVersion',
    replace: 'stored?.uid === expected.uid',
  },
  createOverwrites: {
    what: 'a create overwrites what is there',
    file: 'shared/ports/store-kit.ts',
    find: 'if (current) throw new AlreadyExists(current);',
    replace: '',
  },
  foldIgnoresUid: {
    what: 'news of a task is folded into a namesake of its pod',
    file: 'shared/control/fold.ts',
    find: "if (pod?.metadata.uid !== uid) return 'missing';",
    replace: "if (!pod) return 'missing';",
  },
  observeIgnoresUid: {
    what: 'a task of another pod of the name counts',
    file: 'shared/core/pod/observe.ts',
    find: 'if (task.podUid !== pod.metadata.uid) return false;',
    replace: '',
    equivalent: 'the fold compares uids before it (fold.ts); the second check is for other callers',
  },
  foldWithoutRetry: {
    what: 'a fold that loses a race is dropped',
    file: 'shared/control/fold.ts',
    find: 'if (!isLostRace || tries === MAX_TRIES) throw error;',
    replace: 'throw error;',
    equivalent: 'the message is released and tried again, later: only slower',
  },
  anyNamesakeIsOurs: {
    what: 'a child of the name is taken for the one that was to be made, whoever owns it',
    file: 'shared/control/create-object.ts',
    find: '|| !sameOwner(error.current, draft)) throw error;',
    replace: ') throw error;',
    hint: ['--systematic', '--script', 'rivals'],
  },
} as const satisfies Patches;
