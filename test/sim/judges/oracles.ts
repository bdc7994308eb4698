/**
 * Ground truth and the judges over it. Every write and every state of a task passes through here as
 * it comes about, past the network and its faults; what may never happen is noted at once, with the
 * step at which it happened.
 */
import { type Change, keyOf } from '../../../shared/api/change.ts';
import { sameJson } from '../../../shared/api/hash.ts';
import type { EndpointSlice, Event, Service } from '../../../shared/api/kinds/core.ts';
import type { Node, NodeAllocation } from '../../../shared/api/kinds/node.ts';
import type { Pod } from '../../../shared/api/kinds/pod.ts';
import type { PodDisruptionBudget } from '../../../shared/api/kinds/policy.ts';
import type { Deployment, ReplicaSet } from '../../../shared/api/kinds/workloads.ts';
import {
  type AnyObject,
  compareVersions,
  controllerOf,
  keyText,
  type ObjectKey,
} from '../../../shared/api/meta.ts';
import type { LogRecord } from '../../../shared/ports/recorder.ts';
import type { HealthMessage, TaskState } from '../../../shared/api/task.ts';
import { parseTime } from '../../../shared/api/time.ts';
import { BUDGETS } from '../../../shared/core/disruption/budgets.ts';
import {
  checkEviction,
  checkGrants,
  checkLedger,
  checkMatches,
  checkDevices,
  checkNodeRoom,
  checkNoLeaks,
  checkOneTaskPerPod,
  checkOwners,
  type ClusterFacts,
  isLive,
  type InvariantName,
  type TaskFact,
  type Violation,
} from '../../../shared/core/invariants.ts';
import { currentTaskId, taskIdOfAttempt } from '../../../shared/core/pod/attempt.ts';
import { isTerminal, podIsActive } from '../../../shared/core/pod/predicates.ts';
import { hasBegun } from '../../../shared/core/pod/send-back.ts';
import { podRequests, type Requests } from '../../../shared/core/pod/requests.ts';
import type { Stored } from '../../world/world.ts';
import { Asked } from './asked.ts';
import { Attempts } from './attempts.ts';
import { checkExpiry, checkOldEvents } from './events.ts';
import { Hurry } from './hurry.ts';
import { Indexes } from './indexes.ts';
import { Looks } from './looks.ts';
import { checkEmpty, checkGivenUp } from './owners.ts';
import { POISON } from './poison.ts';
import { type BatchOwner, batchOwner, isEvicted, restarts } from './read.ts';
import { Rollouts } from './rollouts.ts';
import { checkFollowed, MadeSets } from './sets.ts';

/** An invariant that does not hold, or an error that nobody has thought of. */
export type Broken = Omit<Violation, 'invariant'> & {
  readonly invariant: InvariantName | 'B3' | 'surprise';
};

export class Oracles {
  readonly violations: Broken[] = [];
  /** Writes to the store so far, events not counted: they are told to people and are no state. */
  writes = 0;
  readonly #objects = new Map<string, Map<string, AnyObject>>();
  readonly #tasks = new Map<string, TaskFact>();
  /** What each pod that ever was asked for. */
  readonly #requests = new Map<string, Requests>();
  readonly #gone = new Set<string>();
  readonly #inBatches = new Map<string, BatchOwner>();
  /** When each task was first heard of. */
  readonly #startedAtMs = new Map<string, number>();
  /** Objects that were spoilt, by uid: what becomes of them is judged no more. */
  readonly #spoilt = new Map<string, string>();
  /** Pods that a restore has taken away, and the tasks of such pods. */
  readonly #takenAway = new Set<string>();
  readonly #abandoned = new Set<string>();
  readonly #created = new Map<string, number>();
  #isBeingSetBack = false;
  readonly indexes: Indexes;
  readonly looks: Looks;
  readonly #asked: Asked;
  readonly #attempts: Attempts;
  readonly #madeSets = new MadeSets();
  readonly #hurry: Hurry;
  readonly #rollouts: Rollouts;
  /** Whether rollouts are judged: no pod is made or deleted but by who decides on it now. */
  judgesRollouts = false;
  /** Nothing strikes: what a set says of its pods is not of the past. */
  isCalm = false;
  readonly #nowMs: () => number;
  readonly #writer: () => string;

  /** `writer` names the process whose write takes effect right now. */
  constructor(nowMs: () => number, writer: () => string) {
    this.#nowMs = nowMs;
    this.indexes = new Indexes(nowMs);
    this.looks = new Looks(nowMs);
    this.#asked = new Asked(nowMs);
    this.#attempts = new Attempts(nowMs);
    this.#hurry = new Hurry(nowMs);
    this.#rollouts = new Rollouts(nowMs);
    this.#writer = writer;
  }

  changed({ type, resource, object }: Change): void {
    if (resource !== 'events') this.writes++;
    const known = this.#table(resource);
    const key = keyText(keyOf(resource, object));
    const again = this.#hurry.written(key);
    if (again !== undefined) this.#broken('L3', again);
    const previous = known.get(key);
    if (this.#isBeingSetBack) this.#setBackTo(type, object.metadata.uid);
    else if (previous) this.#follows(resource, previous, object, type);
    if (type === 'delete') {
      known.delete(key);
      this.looks.gone(object);
      this.#gone.add(object.metadata.uid);
      this.#asked.left(object);
      this.#checkTasksOfGone(key, object.metadata.uid);
    } else {
      if (this.#gone.has(object.metadata.uid)) this.#broken('S5', `${key} came back`);
      if (!previous) {
        this.#created.set(resource, this.created(resource) + 1);
        this.looks.born(object, this.#writer());
      }
      known.set(key, object);
      this.indexes.changed(resource, object);
    }
    if (this.judgesRollouts) this.#judgeRollout(resource, previous, object);
    if (resource === 'pods') {
      const pod = object as unknown as Pod;
      if (!previous && !this.#isBeingSetBack) this.#checkAskedFor(pod);
      if (!this.#spoilt.has(pod.metadata.uid)) this.#podChanged(pod);
    }
    if (resource === 'replicasets.apps')
      this.#setChanged(object as unknown as ReplicaSet, previous);
    if (resource === 'events' && type === 'delete' && this.#writer().startsWith('sweep')) {
      this.violations.push(...checkExpiry(object as unknown as Event, this.#nowMs()));
    }
  }

  reported(message: HealthMessage): void {
    if (message.type !== 'task') return;
    const { task } = message;
    const owner = this.ownerOf(task.id);
    if (task.podUid !== '') this.#taskChanged(task);
    else if (!owner) this.#broken('S8', `task ${task.id} is of a batch that no pod was in`);
    else this.#taskChanged({ ...task, ...owner });
  }

  /** The pod whose task in a batch this is or was, be it gone or not. */
  ownerOf(taskId: string): BatchOwner | undefined {
    return this.#inBatches.get(taskId);
  }

  /**
   * Errors of everyday life are no surprise; what handlers log as an error is, unless it is about
   * what was spoilt or poisoned.
   */
  logged({ level, message, fields = {} }: LogRecord): void {
    if (level !== 'error' || String(fields['error']).includes(POISON)) return;
    const key = fields['key'] as ObjectKey | undefined;
    if (key && [...this.#spoilt.values()].includes(keyText(key))) return;
    this.violations.push({
      invariant: 'surprise',
      message: `${message} ${JSON.stringify(fields)}`,
    });
  }

  /** What becomes of that object is judged no more. */
  expectNothingOf(uid: string, key: ObjectKey): void {
    this.#spoilt.set(uid, keyText(key));
  }

  /** While the table is set back, old objects come back, and new ones go. */
  setBack(on: boolean): void {
    this.#isBeingSetBack = on;
  }

  /** How many objects of the resource were ever created. */
  created(resource: string): number {
    return this.#created.get(resource) ?? 0;
  }

  /** How many tasks were ever started. */
  get launches(): number {
    return this.#tasks.size;
  }

  wasStarted(taskId: string): boolean {
    return this.#tasks.has(taskId);
  }

  liveTasks(): number {
    return [...this.#tasks.values()].filter(({ state }) => isLive(state)).length;
  }

  isListed(taskId: string, forMs: number): boolean {
    return (this.#startedAtMs.get(taskId) ?? 0) <= this.#nowMs() - forMs;
  }

  /** Everything that is stored, as it is now. */
  stored(): readonly Stored[] {
    return [...this.#objects].flatMap(([resource, table]) =>
      [...table.values()].map((object) => [resource, object] as const),
    );
  }

  /** What a sweep should have taken away. */
  overdue(): readonly Violation[] {
    return checkOldEvents(this.#all<Event>('events'), this.#nowMs());
  }

  /** What is not yet as it should be once everything has had its time. */
  unsettled(unfit: (pod: Pod) => boolean): readonly Violation[] {
    const facts = this.facts();
    const objects = [...this.#objects.entries()].flatMap(([resource, table]) =>
      resource === 'events' ? [] : [...table.values()],
    );
    return [
      ...checkMatches(facts, unfit),
      ...checkNoLeaks(facts),
      ...checkLedger(facts),
      ...checkOwners(objects),
      ...this.#terminatingNamespaces(),
    ];
  }

  facts(): ClusterFacts {
    return {
      deployments: this.#all<Deployment>('deployments.apps'),
      replicaSets: this.#all<ReplicaSet>('replicasets.apps'),
      pods: this.#all<Pod>('pods'),
      nodes: this.#all<Node>('nodes'),
      allocations: this.#all<NodeAllocation>('nodeallocations.nullplane.io'),
      services: this.#all<Service>('services'),
      endpointSlices: this.#all<EndpointSlice>('endpointslices.discovery.k8s.io'),
      budgets: this.#all<PodDisruptionBudget>(BUDGETS),
      tasks: [...this.#tasks.values()],
    };
  }

  #all<T>(resource: string): T[] {
    return [...this.#table(resource).values()] as unknown as T[];
  }

  #terminatingNamespaces(): readonly Violation[] {
    return [...this.#table('namespaces').values()]
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(({ metadata }) => ({
        invariant: 'L1' as const,
        message: `namespace ${metadata.name} is still being deleted`,
      }));
  }

  /** S6 and S7: what one write may make of another. */
  #follows(resource: string, previous: AnyObject, object: AnyObject, type: Change['type']): void {
    const [was, is] = [previous.metadata, object.metadata];
    const name = `${resource} ${was.namespace ?? ''}/${was.name}`;
    if (compareVersions(was.resourceVersion, is.resourceVersion) >= 0) {
      this.#broken('S7', `${name}: version ${is.resourceVersion} after ${was.resourceVersion}`);
    }
    if (was.uid !== is.uid) return this.#broken('S6', `${name} was replaced by a namesake`);
    if ((was.generation ?? 0) > (is.generation ?? 0)) {
      this.#broken('S7', `${name}: generation ${is.generation} after ${was.generation}`);
    }
    if (was.deletionTimestamp !== undefined && is.deletionTimestamp === undefined) {
      this.#broken('S6', `${name}: its deletion was taken back by ${this.#writer()}`);
    }
    const isUsers = USERS_OWN.has(resource) && !this.#writer().startsWith('api');
    if (type === 'put' && isUsers && !sameJson(previous['spec'], object['spec'])) {
      this.#broken('S6', `${name}: ${this.#writer()} overwrote the user's spec`);
    }
    // People may change their mind, and have an object go at once.
    const isJudged = !this.#writer().startsWith('api') && !this.#spoilt.has(is.uid);
    if (isJudged) this.#checkGivenUp(resource, previous, object, type);
    if (resource === 'pods' && !this.#spoilt.has(is.uid)) this.#podFollows(name, previous, object);
    if (resource === 'pods' && isEvicted(object) && !isEvicted(previous)) this.#evicted(previous);
    if (resource === BUDGETS && type === 'put') {
      const budgets = [previous, object] as unknown as [PodDisruptionBudget, PodDisruptionBudget];
      this.violations.push(...checkGrants(...budgets));
    }
  }

  #checkGivenUp(
    resource: string,
    previous: AnyObject,
    object: AnyObject,
    type: Change['type'],
  ): void {
    const stock = {
      all: () => [...this.#objects.values()].flatMap((table) => [...table.values()]),
      ageMs: (object: AnyObject) => this.looks.ageMs(object),
    };
    const next = type === 'delete' ? undefined : object;
    this.violations.push(...checkGivenUp(previous, next, stock));
    if (resource === 'namespaces' && !next) this.violations.push(...checkEmpty(object, stock));
  }

  /** S9: a budget that is younger may have come after the evictor had looked. */
  #evicted(pod: AnyObject): void {
    const underWayMs = this.isCalm ? CALM_EVICTION_MS : EVICTION_MS;
    const isOld = ({ metadata }: PodDisruptionBudget) =>
      this.#nowMs() - (parseTime(metadata.creationTimestamp) ?? 0) > underWayMs;
    const budgets = this.facts().budgets.filter(isOld);
    this.violations.push(...checkEviction(pod as unknown as Pod, budgets));
  }

  /** What comes back is no resurrection, and what lives of what goes is nobody's fault. */
  #setBackTo(type: Change['type'], uid: string): void {
    if (type === 'put') {
      this.#gone.delete(uid);
      this.#takenAway.delete(uid);
      return;
    }
    this.#takenAway.add(uid);
    for (const { state } of this.#tasks.values()) {
      if (state.podUid === uid && isLive(state)) this.#abandoned.add(state.id);
    }
  }

  /** S7 in a pod: attempts, observed versions, restarts and ends stay where they have got to. */
  #podFollows(name: string, previous: AnyObject, object: AnyObject): void {
    const [was, is] = [previous, object] as unknown as [Pod, Pod];
    const [before, after] = [was.control ?? {}, is.control ?? {}];
    if ((before.attempt ?? 0) > (after.attempt ?? 0)) {
      this.#broken('S7', `${name}: attempt ${after.attempt} after ${before.attempt}`);
    }
    const sameAttempt = before.attempt === after.attempt;
    if (sameAttempt && (before.taskVersion ?? 0) > (after.taskVersion ?? 0)) {
      this.#broken('S7', `${name}: task version ${after.taskVersion} after ${before.taskVersion}`);
    }
    if (restarts(was) > restarts(is)) {
      this.#broken('S7', `${name}: ${restarts(is)} restarts after ${restarts(was)}`);
    }
    if (isTerminal(was) && is.status.phase !== was.status.phase) {
      this.#broken('S7', `${name}: ${is.status.phase} after ${was.status.phase}`);
    }
    const hurry = this.#attempts.changed(was, is);
    if (hurry !== undefined) this.#broken('B3', hurry);
    this.#nodeFollows(name, was, is);
  }

  /** S7 of a pod's node: one that never began may be sent back, and begins another attempt. */
  #nodeFollows(name: string, was: Pod, is: Pod): void {
    const [wasOn, isOn] = [was.spec.nodeName, is.spec.nodeName];
    const moved = `${name}: moved from ${wasOn ?? 'nowhere'} to ${isOn ?? 'nowhere'}`;
    if (wasOn && wasOn !== isOn && (isOn || hasBegun(was))) this.#broken('S7', moved);
    if (wasOn && !isOn && this.#hasLiveTask(is)) {
      this.#broken('S1', `${moved} while its task lives`);
    }
    const [before, after] = [was.control?.attempt ?? 0, is.control?.attempt ?? 0];
    if (!wasOn && isOn && before > 0 && after <= before) {
      this.#broken('S7', `${moved} under attempt ${before} again`);
    }
  }

  #hasLiveTask({ metadata }: Pod): boolean {
    return [...this.#tasks.values()].some(({ state }) => {
      return state.podUid === metadata.uid && isLive(state);
    });
  }

  /** S5: what is gone has nothing that runs. */
  #checkTasksOfGone(key: string, uid: string): void {
    for (const { state } of this.#tasks.values()) {
      if (state.podUid !== uid || !isLive(state) || this.#abandoned.has(state.id)) continue;
      this.#broken('S5', `${key} was removed while its task ${state.id} lives`);
    }
  }

  /**
   * S8: a ReplicaSet has no more pods than it was asked for. A slot that a pod has left may be
   * filled twice, by a look from before and one from after that know nothing of each other: the set
   * takes the surplus away as soon as it sees it.
   */
  #checkAskedFor(pod: Pod): void {
    const owner = controllerOf(pod)?.uid;
    const asked = owner === undefined ? undefined : this.#asked.most(owner);
    if (owner === undefined || asked === undefined) return;
    const active = ([...this.#table('pods').values()] as unknown as Pod[]).filter(
      (other) => controllerOf(other)?.uid === owner && podIsActive(other),
    );
    const unseen = this.looks.unseenBy(this.#writer(), active);
    const doubled = Math.min(unseen, this.#asked.leftLately(owner));
    if (active.length <= asked + doubled) return;
    const message = `${pod.metadata.name} is the ${active.length}th pod of ${asked} asked for`;
    this.#broken('S8', message);
  }

  #setChanged(set: ReplicaSet, previous: AnyObject | undefined): void {
    this.#asked.changed(set);
    if (this.#isBeingSetBack || this.#spoilt.has(set.metadata.uid)) return;
    if (previous) {
      this.violations.push(...checkFollowed(previous as unknown as ReplicaSet, set));
      return;
    }
    this.violations.push(...this.#madeSets.check(set, this.#all<Deployment>('deployments.apps')));
  }

  #judgeRollout(resource: string, previous: AnyObject | undefined, object: AnyObject): void {
    if (resource === 'replicasets.apps' && !previous) {
      const made = object as unknown as ReplicaSet;
      this.violations.push(...this.#rollouts.setMade(made, this.#all('deployments.apps')));
    }
    if (resource === 'deployments.apps') {
      const [was, is] = [previous, object] as unknown as [Deployment | undefined, Deployment];
      this.#rollouts.deploymentChanged(was, is);
    }
    if (resource !== 'pods' || !this.#writer().startsWith('reconcile')) return;
    const pod = object as unknown as Pod;
    if (!previous) this.violations.push(...this.#rollouts.made(pod, this.facts()));
    const wasStanding = previous?.metadata.deletionTimestamp === undefined;
    // Pods of a node that there is no more have to go, whatever they leave.
    const hasNode = this.#table('nodes').has(`nodes//${pod.spec.nodeName}`);
    if (this.isCalm && hasNode && previous && wasStanding && !podIsActive(pod)) {
      this.violations.push(...this.#rollouts.deleted(pod, this.facts()));
    }
  }

  #podChanged(pod: Pod): void {
    const { uid } = pod.metadata;
    if (!this.#requests.has(uid)) this.#requests.set(uid, podRequests(pod.spec));
    if (pod.spec.nodeName) this.#checkRoom(pod.spec.nodeName);
    if (pod.control?.batch) this.#inBatches.set(taskIdOfAttempt(pod, 1), batchOwner(pod));
  }

  #taskChanged(state: TaskState): void {
    const known = this.#tasks.get(state.id)?.state;
    if (!known && this.#gone.has(state.podUid)) {
      // A launch may be on its way while the restore takes its pod.
      if (this.#takenAway.has(state.podUid)) this.#abandoned.add(state.id);
      else this.#broken('S5', `task ${state.id} of ${state.podName} starts after its pod is gone`);
    }
    // A repeated launch is answered with what was.
    if (known && known.version >= state.version) return;
    if (!known) this.#startedAtMs.set(state.id, this.#nowMs());
    if (state.phase === 'stopping' && known?.phase !== 'stopping') this.#checkStop(state);
    const requests = this.#requests.get(state.podUid) ?? {};
    this.#tasks.set(state.id, { state, requests });
    const ofPod = [...this.#tasks.values()].filter((t) => t.state.podUid === state.podUid);
    this.violations.push(...checkOneTaskPerPod(ofPod));
    this.#checkRoom(state.nodeName);
  }

  /** S5: the sweep ends no task that a pod means. */
  #checkStop({ id, podUid }: TaskState): void {
    if (!this.#writer().startsWith('sweep') || this.#abandoned.has(id)) return;
    const pod = this.#all<Pod>('pods').find(({ metadata }) => metadata.uid === podUid);
    if (!pod || this.#spoilt.has(podUid) || currentTaskId(pod) !== id) return;
    if (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) return;
    this.#broken('S5', `${this.#writer()} stops task ${id}, which ${pod.metadata.name} means`);
  }

  #checkRoom(nodeName: string): void {
    const node = this.#table('nodes').get(`nodes//${nodeName}`) as unknown as Node | undefined;
    if (!node) return;
    const pods = ([...this.#table('pods').values()] as unknown as Pod[]).filter(
      ({ metadata }) => !this.#spoilt.has(metadata.uid),
    );
    const tasks = [...this.#tasks.values()].filter(({ state }) => !this.#abandoned.has(state.id));
    this.violations.push(...checkNodeRoom(node, { pods, tasks }));
    const ledgers = this.#table('nodeallocations.nullplane.io');
    const allocations = [...ledgers.values()] as unknown as NodeAllocation[];
    this.violations.push(...checkDevices(node, { pods, allocations }));
  }

  #table(resource: string): Map<string, AnyObject> {
    const known = this.#objects.get(resource);
    if (known) return known;
    const table = new Map<string, AnyObject>();
    this.#objects.set(resource, table);
    return table;
  }

  #broken(invariant: Broken['invariant'], message: string): void {
    this.violations.push({ invariant, message });
  }
}

/** How long an eviction may be under way. */
const EVICTION_MS = 120_000;
/** Where nothing strikes. */
const CALM_EVICTION_MS = 2_000;

/** Controllers never write the spec of these. */
const USERS_OWN = new Set(['deployments.apps', 'services', 'configmaps']);
