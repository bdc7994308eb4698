/** Planted defects: places and nodes. */
import type { Patches } from '../patch.ts';

export const OF_NODES = {
  ledgerNotWritten: {
    what: 'pods are bound without their room being entered',
    file: 'shared/core/scheduling/plans.ts',
    find: 'entries.length > 0 ? [entries, bindings] : [bindings];',
    replace: '[bindings];',
  },
  ledgerBlind: {
    what: 'the ledger of a node is overwritten, whatever was entered meanwhile',
    file: 'shared/core/scheduling/ledger.ts',
    find: 'if (!ledger) return create(LEDGERS, draft);',
    replace: 'if (!ledger || old.length === 0) return undefined;',
  },
  podsBeforeLedgers: {
    what: 'pods are read before ledgers',
    file: 'shared/control/scheduler.ts',
    find:
      'const ledgers = await all<NodeAllocation>(LEDGERS);\n' +
      "  const pods = await all<Pod>('pods');",
    replace:
      "const pods = await all<Pod>('pods');\n  const ledgers = await all<NodeAllocation>(LEDGERS);",
  },
  ledgerAnew: {
    what: 'a ledger that is new does not have what runs on the node',
    file: 'shared/core/scheduling/ledger.ts',
    find: 'return [...pods].filter(isBound).sort(byUid);',
    replace: 'return [...pods].filter(isBound).slice(0, 0);',
    hint: ['--script', 'nodeless', '--seeds', '100'],
  },
  ledgerStaysLost: {
    what: 'a node whose ledger is lost is not given one',
    file: 'shared/control/controllers/node.ts',
    find: 'const lacksLedger = keeps && (!ledger || isStandIn(ledger));',
    replace: 'const lacksLedger = false;',
    hint: ['--script', 'nodeless', '--from', '21', '--seeds', '1'],
  },
  ledgerForgetsBatch: {
    what: 'a ledger that is new does not have by which launch the tasks on its node were started',
    file: 'shared/core/scheduling/ledger.ts',
    find: '...(batch ? { batch: batch.token } : {}),',
    replace: '',
    aws: true,
    hint: ['--aws', '--script', 'nodeless', '--seeds', '60'],
  },
  emptyIsReadable: {
    what: 'a pod whose containers were lost holds nothing, although its task runs',
    file: 'shared/core/scheduling/shape.ts',
    find: 'readable = pod.spec.containers.length > 0;',
    replace: 'readable = true;',
  },
  unreadableStops: {
    what: 'a pod that cannot be read stops the passes of its cell',
    file: 'shared/control/scheduler.ts',
    find: 'return soundCell(inCell(whole, cell));',
    replace: 'return { snapshot: inCell(whole, cell), unreadable: [] };',
  },
  bodilessIsNowhere: {
    what: 'a pod that cannot say where it is holds no room where its task runs',
    file: 'shared/core/scheduling/sound.ts',
    find: 'const nodeName = pod.spec.nodeName || entries[0]?.at;',
    replace: 'const nodeName = pod.spec.nodeName || undefined;',
    hint: ['--script', 'bodiless', '--seeds', '50'],
  },
  mendsInPassing: {
    what: 'what stands in for a spoilt part is written as if somebody had meant it',
    file: 'shared/control/well-formed-store.ts',
    find: 'asStored(object)',
    replace: 'object',
    hint: ['--script', 'unweighed', '--seeds', '50'],
  },
  spoiltIsShown: {
    what: 'what is spoilt is listed as it is stored',
    file: 'shared/control/well-formed-store.ts',
    find: 'page.items.map((item) => wellFormed(query.resource, item))',
    replace: 'page.items',
  },
  spoiltIsRouted: {
    what: 'a change of what is spoilt is routed as it is stored',
    file: 'shared/control/router.ts',
    find: 'changes.map(wellFormedChange)',
    replace: '[...changes]',
    hint: ['--script', 'unowned', '--seeds', '20'],
  },
  adoptsUnentered: {
    what: 'a pod takes up its task again without being entered in the ledger of its node',
    file: 'shared/control/fold.ts',
    find: 'await enterAdopted(pod, next, effects);',
    replace: '',
    hint: ['--composite', '--script', 'setBackRoom', '--about', 'health store'],
  },
  oldConditionCounts: {
    what: 'what an agent told of its GPUs days ago counts',
    file: 'shared/core/node/conditions.ts',
    find: 'if (nowMs - atMs > NEWS_MS) return undefined;',
    replace: '',
    hint: ['--script', 'sickly', '--from', '101', '--seeds', '100'],
  },
  cellsShareMachines: {
    what: 'a pass places on the machines of other cells too',
    file: 'shared/core/scheduling/cells.ts',
    find: 'nodes: all.nodes.filter(({ metadata }) => isAt(metadata.name) ?? true),',
    replace: 'nodes: all.nodes,',
  },
  reservedIsFree: {
    what: 'room that is entered for a pod that is not bound yet is given away',
    file: 'shared/core/scheduling/ledger.ts',
    find: 'isMeant(entry, pod)) reserved.push(pod);',
    replace: 'isMeant(entry, pod)) continue;',
    hint: [
      '--systematic',
      '--script',
      'waiting',
      '--from',
      '2',
      '--about',
      'schedule store.update pods',
    ],
  },
  deletedIsFree: {
    what: 'the room of a pod is free as soon as it is to go',
    file: 'shared/core/scheduling/pending.ts',
    find: 'return Boolean(pod.spec.nodeName) && !isTerminal(pod) && !isPending(pod);',
    replace:
      'return Boolean(pod.spec.nodeName) && !isTerminal(pod) && !isPending(pod) && ' +
      '!pod.metadata.deletionTimestamp;',
  },
  victimsAreGone: {
    what: 'a pass gives away what a pod that preempts others leaves of their room',
    file: 'shared/core/scheduling/preemption.ts',
    find: 'this.#victims.set(victim, { ...this.#victimOf(victim), isTerminating: true });',
    replace: 'this.#pass.expel(victim, node);',
  },
  neverPlacedAgain: {
    what: 'room that becomes free wakes nobody',
    file: 'shared/core/scheduling/helps.ts',
    find: "if (type === 'delete') return held ? ['podGone'] : [];",
    replace: "if (type === 'delete') return [];",
    equivalent: 'the sweep wakes the scheduler within minutes',
  },
  noFencing: {
    what: 'a node out of sight is taken for gone, and its tasks with it',
    file: 'shared/core/node/plan.ts',
    find: 'if (!node || isGone(node)) return planGone(snapshot, nowMs);',
    replace: 'if (!node || isGone(node) || isUnreachable(node)) return planGone(snapshot, nowMs);',
  },
  deletionWithoutFence: {
    what: 'a pod that is evicted is removed although its task may live',
    file: 'shared/core/deletion.ts',
    find: "if (resource === 'pods') return hasNoTask(object as Pod, nowMs);",
    replace: "if (resource === 'pods') return true;",
  },
  noGrace: {
    what: 'a node is lost as soon as its agent is away for a moment',
    file: 'shared/core/node/plan.ts',
    find: 'export const NODE_GRACE_MS = 60_000;',
    replace: 'export const NODE_GRACE_MS = 0;',
    equivalent: 'tolerations of 300 s still apply before anything is evicted: only readiness flaps',
  },
  emptyIsDead: {
    what: 'a cluster that knows no node takes all of its pods for lost',
    file: 'shared/core/node/plan.ts',
    find: 'if (cluster.nodes === 0 && !isMeant) {',
    replace: 'if (cluster.nodes < 0) {',
  },
  massEviction: {
    what: 'pods are evicted although most nodes are out of sight',
    file: 'shared/core/node/plan.ts',
    find: 'if (unreachable > nodes * UNREACHABLE_SHARE_LIMIT) {',
    replace: 'if (unreachable > nodes) {',
  },
  lateNewsOfNodes: {
    what: 'what is said late of a node counts',
    file: 'shared/core/node/observe.ts',
    find: 'if (isLate) return undefined;',
    replace: '',
  },
  goneIsNotFinal: {
    what: 'a node that is gone for good comes back by a late message',
    file: 'shared/core/node/observe.ts',
    find: "if (old.status === 'gone') return undefined;\n  const { status, atMs } = message;",
    replace: 'const { status, atMs } = message;',
    hint: ['--composite', '--script', 'lostNode', '--about', 'health store.update nodes'],
  },
  noReturn: {
    what: 'a node that is back stays tainted',
    file: 'shared/core/node/plan.ts',
    find: "const isBack = status === 'connected' && !isHealthy(node);",
    replace: 'const isBack = false;',
  },
  gangInParts: {
    what: 'some pods of a gang are bound without the others',
    file: 'shared/core/scheduling/run.ts',
    find: "'gang' in item ? this.#placeGang(item) : this.#placePod(item.pod),",
    replace:
      "'gang' in item ? item.pods.flatMap((pod) => this.#placePod(pod)) : " +
      'this.#placePod(item.pod),',
  },
  budgetNotSpent: {
    what: 'an eviction does not spend what its budget allows',
    file: 'shared/core/disruption/may-disrupt.ts',
    find: 'spent.set(budget, granted(current, pod, nowMs));',
    replace: '',
  },
  grantOlderThanPod: {
    what: 'a grant by a slow clock is taken for that of an earlier pod of the name',
    file: 'shared/core/disruption/budgets.ts',
    find: 'const atMs = Math.max(nowMs, bornAtMs + SECOND_MS);',
    replace: 'const atMs = bornAtMs > 0 ? nowMs : 0;',
    hint: ['--script', 'hasty', '--seeds', '100'],
  },
  budgetUnprocessed: {
    what: 'a budget that nobody has looked at allows what it did before',
    file: 'shared/core/disruption/may-disrupt.ts',
    find: "if (status.disruptionsAllowed <= 0) return 'exhausted';",
    replace: '',
  },
  mirrorGoesBack: {
    what: 'a warm instance takes an older state for a newer one',
    file: 'shared/control/mirrored-store.ts',
    find: 'if (held && versionOf(held) > versionOf(object)) continue;',
    replace: '',
    equivalent: 'changes come in order; the check is for a change that the first list has shown',
  },
  mirrorNotBroughtUp: {
    what: 'a warm instance answers from what it held',
    file: 'shared/control/mirrored-store.ts',
    find: 'if (await this.#applyBatch(objects)) return true;',
    replace: 'return true;',
  },
  objectIsMachine: {
    what: 'pods whose node is not in the table are removed beside their tasks',
    file: 'shared/core/node/plan.ts',
    find: 'const nodeLost = node !== undefined;',
    replace: 'const nodeLost = true;',
  },
  roomlessIsBelieved: {
    what: 'a registration that tells no processors is taken for a machine without any',
    file: 'adapters/aws/ec2/registration.ts',
    find: 'if (!cpuUnits || !memoryMiB) return undefined;',
    replace:
      'if (!cpuUnits || !memoryMiB) return { id, version, registeredAtMs, agentConnected: true, ' +
      "status: 'ACTIVE', cpuUnits: 0, memoryMiB: 0, gpus: 0, attributes: attributesOf(told) };",
    aws: true,
    hint: ['--aws', '--from', '707', '--seeds', '1'],
  },
  oldNewsCounts: {
    what: 'what an agent told last week counts, where the table was set back to before',
    file: 'shared/core/node/from-instance.ts',
    find: ' || nowMs - atMs > NEWS_MS) return undefined;',
    replace: ') return undefined;',
    aws: true,
    hint: ['--aws', '--from', '240', '--seeds', '1'],
  },
  anyRegistration: {
    what: 'a registration that does not say so is taken for one without a connection',
    file: 'lambdas/health/instance-event.ts',
    find: "typeof agentConnected === 'boolean' &&",
    replace: '',
    aws: true,
    equivalent:
      'the sweep asks for the instance within minutes, and a week later it is no news any more: ' +
      'only readiness flaps',
  },
} as const satisfies Patches;
