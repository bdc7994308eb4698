/** Planted defects: sets of pods, rollouts, deletion. */
import type { Patches } from '../patch.ts';

export const OF_SETS = {
  setMakesStrangers: {
    what: 'a set that was spoilt makes pods that it does not select, again and again',
    file: 'shared/core/replicaset/plan.ts',
    find: '!matchesSelector(selector, template.metadata.labels)) return UNSELECTED;',
    replace: 'false) return UNSELECTED;',
    hint: ['--systematic', '--script', 'unlabelled', '--plans', '1'],
  },
  freshNames: {
    what: 'a pod is named by the version of its set, not by its slot alone',
    file: 'shared/core/replicaset/slots.ts',
    find: 'nameHash(`${metadata.uid}/${slot}/${incarnation}`, SUFFIX_LENGTH)',
    replace:
      'nameHash(`${metadata.uid}/${metadata.resourceVersion}/${slot}/${incarnation}`, ' +
      'SUFFIX_LENGTH)',
  },
  incarnationLost: {
    what: 'a slot is filled again under the name of the pod before',
    file: 'shared/core/replicaset/slots.ts',
    find: 'while (names.has(nameOf(set, { slot, incarnation }))) incarnation++;',
    replace: 'incarnation = FIRST_INCARNATION;',
  },
  surplusKept: {
    what: 'surplus pods are kept',
    file: 'shared/core/replicaset/surplus.ts',
    find: 'if (count <= 0) return [];',
    replace: 'return [];',
  },
  observedTooSoon: {
    what: 'a set says that it has followed before it has',
    file: 'shared/core/replicaset/status.ts',
    find: 'const observed = settled ? set.metadata.generation : set.status.observedGeneration;',
    replace: 'const observed = set.metadata.generation;',
  },
  surgeUnbounded: {
    what: 'a rollout ignores maxSurge',
    file: 'shared/core/deployment/rolling.ts',
    find: 'return size + Math.max(0, Math.min(missing, room));',
    replace: 'return size + missing;',
  },
  growsBeforeFollowed: {
    what: 'a rollout goes on from sizes that nobody has followed',
    file: 'shared/core/deployment/rolling.ts',
    find: 'if (!sets.every(isBounded)) return size;',
    replace: '',
    hint: ['--systematic', '--script', 'resized', '--about', 'store.create'],
  },
  unavailableIgnored: {
    what: 'a rollout ignores maxUnavailable',
    file: 'shared/core/deployment/rolling.ts',
    find: 'const tooManyAvailable = sum(old.map(availableOf)) + newAvailable - minAvailable;',
    replace: 'const tooManyAvailable = sum(old.map(availableOf));',
  },
  recreateMakesSets: {
    what: 'Recreate makes the new set before the old pods have gone',
    file: 'shared/core/deployment/plan.ts',
    find: 'const mayCreate = !recreate || known.old.every(isEmpty);',
    replace: 'const mayCreate = true;',
    equivalent: 'the set has no pods before (recreateSizes): it only stands there sooner',
  },
  recreateDoesNotWait: {
    what: 'Recreate brings pods of a revision of before while others are still there',
    file: 'shared/core/deployment/rolling.ts',
    find: 'size: old.every(isEmpty) ? spec.replicas : current.spec.replicas',
    replace: 'size: spec.replicas',
  },
  pausedRolls: {
    what: 'a paused Deployment rolls out',
    file: 'shared/core/deployment/plan.ts',
    find: 'if (spec.paused || (!recreate && isResized(spec, known))) {',
    replace: 'if (!recreate && isResized(spec, known)) {',
  },
  finalizerDropped: {
    what: 'a foreground deletion does not wait for dependents',
    file: 'shared/core/gc/plan.ts',
    find: 'if (held.length === 0)',
    replace: 'if (held.length === 0 || finalizer === FOREGROUND_FINALIZER)',
  },
  orphansTaken: {
    what: 'who orphans his dependents loses them',
    file: 'shared/core/gc/plan.ts',
    find: 'if (held.length === 0)',
    replace: 'if (held.length === 0 || finalizer === ORPHAN_FINALIZER)',
  },
  mirrorLags: {
    what: 'what an index did not show yet is missing for as long as its list is kept',
    file: 'shared/control/mirrored-store.ts',
    find: 'if (this.#of.index) await this.#addHidden(objects);',
    replace: '',
    hint: ['--script', 'renewed', '--seeds', '300'],
  },
  indexLetsGo: {
    what: 'who waits for dependents goes when an index shows none',
    file: 'shared/control/controllers/gc.ts',
    find: 'return holding(owner, indexed).length > 0 ? indexed : listedHolding(owner, read);',
    replace: 'return indexed;',
    hint: ['--script', 'unindexed', '--seeds', '300'],
  },
  ownerByName: {
    what: 'an owner is known by its name alone',
    file: 'shared/core/gc/plan.ts',
    find: 'return found?.metadata.uid !== reference.uid || takesDependents(found);',
    replace: 'return found === undefined || takesDependents(found);',
  },
  gcNeverWoken: {
    what: 'dependents are not looked at when their owner has gone',
    file: 'shared/control/controllers/gc.ts',
    find: 'return [...(await dependentKeys(object, read)), ...owners];',
    replace: 'return owners;',
    equivalent: 'the sweep looks at every object with an owner that is not there',
  },
  namespaceGoesFull: {
    what: 'a namespace goes before it is empty',
    file: 'shared/core/namespace/plan.ts',
    find: 'if (contents.length === 0) return finish(namespace, nowMs);',
    replace: 'return finish(namespace, nowMs);',
  },
  createsInTerminating: {
    what: 'pods are made in a namespace that is going',
    file: 'shared/core/replicaset/plan.ts',
    find: "if (namespace?.status.phase === 'Terminating') {",
    replace: 'if (namespace === undefined) {',
    equivalent: 'the sets go with all that is in it, and what they made till then goes next',
  },
  adoptsAnything: {
    what: 'an owner takes on what another one controls',
    file: 'shared/core/replicaset/plan.ts',
    find: "const claims = claim('pods', set, set.spec.selector, snapshot.pods, isActive);",
    replace:
      "const claims = claim('pods', set, set.spec.selector, snapshot.pods.map((p) => " +
      '({ ...p, metadata: { ...p.metadata, ownerReferences: ' +
      '(p.metadata.ownerReferences ?? []).filter((r) => r.uid === set.metadata.uid) } ' +
      '})), isActive);',
    equivalent: 'a look has only pods that the set controls or that nothing does (claimable)',
  },
  neverLetsGo: {
    what: 'an owner keeps what it does not select any more',
    file: 'shared/core/ownership.ts',
    find: 'else changes.push(update(resource, withoutOwners(object, [uid])));',
    replace: '',
  },
  endpointsUnready: {
    what: 'the endpoints of a Service are not written again',
    file: 'shared/core/endpointslice/plan.ts',
    find: 'if (sameJson(slice, before)) return [];',
    replace: 'return [];',
  },
  statusAlwaysWritten: {
    what: 'a status is written although it says nothing new',
    file: 'shared/core/deployment/plan.ts',
    find: '...(sameJson(next, deployment) ? [] : [update(DEPLOYMENTS, next)]),',
    replace: '...[update(DEPLOYMENTS, next)],',
  },
  refusedBlocks: {
    what: 'a revision whose pods are refused keeps the one that mends it from growing',
    file: 'shared/core/deployment/rolling.ts',
    find: 'return hasFollowed(set) || isRefused(set);',
    replace: 'return hasFollowed(set);',
  },
  unknownSets: {
    what: 'a ReplicaSet is made although its Deployment will not know it, and another at each look',
    file: 'shared/core/deployment/plan.ts',
    find: 'step.created && !wouldBeKnown(deployment)',
    replace: 'false',
  },
} as const satisfies Patches;
