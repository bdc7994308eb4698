/**
 * Finds tasks by our ids: ECS knows them by ARNs of its own. What was seen is remembered; a few
 * unknown ids are asked for one by one, many by a survey of the cluster, whichever is fewer calls.
 * Listings lag behind launches by seconds: an id that is not found may belong to a young task.
 */
import {
  DescribeTasksCommand,
  type DesiredStatus,
  type ECSClient,
  ListTasksCommand,
  type Task,
} from '@aws-sdk/client-ecs';
import { parseBatchTaskId } from '../../../shared/api/task.ts';
import { calling } from './errors.ts';
import { identityOf, isOfInstallation } from './names.ts';
import type { Rates } from './rates.ts';
import type { EcsSettings } from './settings.ts';

/** ECS's limit for one DescribeTasks. */
const DESCRIBED_AT_A_TIME = 100;
/** ECS's limit for one page of ListTasks. */
const PAGE = 100;
/** Two calls each. A survey of a hundred tasks takes three. */
const ASKED_ONE_BY_ONE = 2;
/** 50,000 tasks: ten times what a cluster of one cell runs. */
const MAX_PAGES = 500;
/** Ids and ARNs of as many tasks take some megabytes. */
const MAX_REMEMBERED = 20_000;

const BOTH: readonly DesiredStatus[] = ['RUNNING', 'STOPPED'];

export class TaskIndex {
  readonly #ecs: ECSClient;
  readonly #rates: Rates;
  readonly #settings: EcsSettings;
  readonly #arns = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  /** Tasks that have ended for good, and those of others. */
  readonly #hasEnded = new Set<string>();

  constructor(ecs: ECSClient, rates: Rates, settings: EcsSettings) {
    this.#ecs = ecs;
    this.#rates = rates;
    this.#settings = settings;
  }

  /** Remembers what an answer of ECS says of tasks. */
  learn(tasks: readonly Task[]): void {
    for (const task of tasks) {
      const id = this.#idOf(task);
      const arn = task.taskArn ?? '';
      if (id !== undefined) {
        remember(this.#arns, id, arn);
        remember(this.#ids, arn, id);
      }
      if (id !== undefined && task.lastStatus !== 'STOPPED') continue;
      if (this.#hasEnded.size >= MAX_REMEMBERED) this.#hasEnded.clear();
      this.#hasEnded.add(arn);
    }
  }

  async arnOf(id: string): Promise<string | undefined> {
    return (await this.arnsOf([id]))[0];
  }

  /** The ARNs of those that are known to ECS. */
  async arnsOf(ids: readonly string[]): Promise<readonly string[]> {
    const unknown = ids.filter((id) => !this.#arns.has(id));
    if (unknown.length > ASKED_ONE_BY_ONE) await this.survey();
    else for (const id of unknown) await this.#ask(id);
    return ids.flatMap((id) => this.#arns.get(id) ?? []);
  }

  /** The tasks of these ARNs, those that are still known, of this installation. */
  async describe(arns: readonly string[]): Promise<readonly Task[]> {
    const found: Task[] = [];
    for (let from = 0; from < arns.length; from += DESCRIBED_AT_A_TIME) {
      const some = arns.slice(from, from + DESCRIBED_AT_A_TIME);
      const command = new DescribeTasksCommand({ cluster: this.#settings.cluster, tasks: some });
      await this.#rates.read.take();
      const { tasks = [], failures = [] } = await calling(() => this.#ecs.send(command));
      for (const { arn } of failures) this.#forget(arn ?? '');
      found.push(...tasks);
    }
    this.learn(found);
    return found.filter((task) => this.#idOf(task) !== undefined);
  }

  /** Looks at all tasks of the cluster; the ids of those that have not ended. */
  async survey(): Promise<readonly string[]> {
    const wanted = await this.#list({ desiredStatus: 'RUNNING' });
    const unwanted = await this.#list({ desiredStatus: 'STOPPED' });
    const listed = new Set([...wanted, ...unwanted]);
    const news = wanted.filter((arn) => !this.#ids.has(arn));
    // Young ones are not listed yet, and old ones no longer.
    const unlisted = [...this.#ids.keys()].filter((arn) => !listed.has(arn));
    // Those that are to end may have ended since they were last seen.
    const open = [...news, ...unwanted, ...unlisted].filter((arn) => !this.#hasEnded.has(arn));
    await this.describe(open);
    const known = [...listed, ...unlisted].filter((arn) => !this.#hasEnded.has(arn));
    return known.flatMap((arn) => this.#ids.get(arn) ?? []);
  }

  async #ask(id: string): Promise<void> {
    const batch = parseBatchTaskId(id);
    if (batch) return this.#askForBatch(batch.token);
    for (const desiredStatus of BOTH) {
      const [arn] = await this.#list({ startedBy: id, desiredStatus });
      if (arn === undefined) continue;
      remember(this.#arns, id, arn);
      remember(this.#ids, arn, id);
      return;
    }
  }

  /** Which of them is whose tells only a description. */
  async #askForBatch(startedBy: string): Promise<void> {
    for (const desiredStatus of BOTH) {
      await this.describe(await this.#list({ startedBy, desiredStatus }));
    }
  }

  async #list(filter: {
    readonly startedBy?: string;
    readonly desiredStatus: DesiredStatus;
  }): Promise<readonly string[]> {
    const arns: string[] = [];
    let next: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const command: ListTasksCommand = new ListTasksCommand({
        ...{ cluster: this.#settings.cluster, maxResults: PAGE, ...filter },
        ...(next === undefined ? {} : { nextToken: next }),
      });
      await this.#rates.read.take();
      const { taskArns = [], nextToken } = await calling(() => this.#ecs.send(command));
      arns.push(...taskArns);
      next = nextToken;
      if (!next) break;
    }
    return arns;
  }

  #idOf(task: Task): string | undefined {
    const isOurs = isOfInstallation(task.taskDefinitionArn ?? '', this.#settings.installation);
    return isOurs ? identityOf(task)?.id : undefined;
  }

  #forget(arn: string): void {
    this.#arns.delete(this.#ids.get(arn) ?? '');
    this.#ids.delete(arn);
  }
}

/** The oldest go first. */
function remember(map: Map<string, string>, key: string, value: string): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > MAX_REMEMBERED && !oldest.done) map.delete(oldest.value);
}
