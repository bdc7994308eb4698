/** What every pool of instances does (shared/ports/instances.ts), one case a sentence of it. */
import { expect } from 'vitest';
import {
  type Described,
  type InstancePool,
  InstancesUnavailable,
  LaunchRejected,
  type LaunchRequest,
} from '../../shared/ports/instances.ts';
import { type Cases, runCases, type Skip } from './contract.ts';

/** A cloud with room for the two types in the two zones. */
export interface InstancesSubject {
  readonly pool: InstancePool;
  /** The cheaper one first: pools behind one that has enough need not be asked. */
  readonly types: readonly [string, string];
  readonly zones: readonly [string, string];
  /** A machine boots, and its agent joins the cluster. */
  join(id: string): Promise<void>;
  /** A machine that somebody else started joins the cluster; its id. */
  joinForeign(): Promise<string>;
  /** Somebody else ends the machine. */
  end(id: string): Promise<void>;
  /** From now on the type can't be had in the zone, for want of capacity, or by quota. */
  refuse(type: string, zone: string, kind: 'capacity' | 'quota'): Promise<void>;
  /** Whether every call to the cloud fails. */
  setDown(isDown: boolean): Promise<void>;
  /** An id of the right form that the cloud never gave. */
  readonly unknownId: string;
}

export interface InstancesContract {
  readonly name: string;
  readonly make: () => Promise<InstancesSubject>;
  readonly skips?: readonly Skip[];
}

export function instancesContract({ name, make, skips }: InstancesContract): void {
  const withSubject = (run: (subject: InstancesSubject) => Promise<void>) => async () => {
    await run(await make());
  };
  const cases = { ...launchCases, ...lookCases, ...endCases };
  const runs: Cases = Object.fromEntries(
    Object.entries(cases).map(([title, run]) => [title, withSubject(run)]),
  );
  runCases(name, runs, skips);
}

type SubjectCases = { readonly [title: string]: (subject: InstancesSubject) => Promise<void> };

function asked(subject: InstancesSubject, given: Partial<LaunchRequest> = {}): LaunchRequest {
  return {
    claimUid: 'claim-1',
    count: 1,
    types: [subject.types[0]],
    zones: [subject.zones[0]],
    capacityType: 'on-demand',
    labels: { 'example.com/team': 'ml' },
    taints: [{ key: 'dedicated', value: 'ml', effect: 'NoSchedule' }],
    tags: { owner: 'ml' },
    ...given,
  };
}

const launchCases: SubjectCases = {
  'names each zone once': async ({ pool, zones }) => {
    const named = await pool.zones();
    expect(new Set(named).size).toBe(named.length);
    expect(named).toEqual(expect.arrayContaining([...zones]));
  },

  'launches as many as asked for, of the types and zones that were named': async (subject) => {
    const { pool, types, zones } = subject;
    const { instances, failed } = await pool.launch(asked(subject, { count: 3, types, zones }));
    expect(instances).toHaveLength(3);
    expect(failed).toEqual([]);
    expect(new Set(instances.map(({ id }) => id)).size).toBe(3);
    for (const { type, zone, capacityType } of instances) {
      expect(types).toContain(type);
      expect(zones).toContain(zone);
      expect(capacityType).toBe('on-demand');
    }
  },

  'launches Spot instances where they are asked for': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject, { capacityType: 'spot' }));
    expect(instances.map(({ capacityType }) => capacityType)).toEqual(['spot']);
    expect(await subject.pool.list()).toMatchObject([{ capacityType: 'spot' }]);
  },

  'launches once for a claim, and answers a repeat with what the first made': async (subject) => {
    const request = asked(subject, { count: 2 });
    const first = await subject.pool.launch(request);
    const again = await subject.pool.launch(request);
    expect(ids(again.instances)).toEqual(ids(first.instances));
    expect(await subject.pool.list()).toHaveLength(2);
    const other = await subject.pool.launch(asked(subject, { claimUid: 'claim-2' }));
    expect(ids(first.instances)).not.toContain(other.instances[0]?.id);
  },

  'answers a repeat with instances that have ended since, and launches no others': async (
    subject,
  ) => {
    const first = await subject.pool.launch(asked(subject));
    await subject.end(first.instances[0]?.id ?? '');
    const again = await subject.pool.launch(asked(subject));
    expect(ids(again.instances)).toEqual(ids(first.instances));
    expect(await subject.pool.list()).toEqual([]);
  },

  'takes what can be had, and says which combinations could not': async (subject) => {
    const { pool, types, zones } = subject;
    await subject.refuse(types[0], zones[0], 'capacity');
    const { instances, failed } = await pool.launch(asked(subject, { count: 2, types }));
    expect(instances.map(({ type }) => type)).toEqual([types[1], types[1]]);
    expect(failed).toMatchObject([{ type: types[0], zone: zones[0], kind: 'capacity' }]);
  },

  'launches nothing and says why, where nothing can be had': async (subject) => {
    const { types, zones } = subject;
    await subject.refuse(types[0], zones[0], 'quota');
    const { instances, failed } = await subject.pool.launch(asked(subject));
    expect(instances).toEqual([]);
    expect(failed).toMatchObject([{ type: types[0], kind: 'quota', capacityType: 'on-demand' }]);
  },

  'refuses what can never be launched': async (subject) => {
    const never: Partial<LaunchRequest>[] = [
      { count: 0 },
      { types: [] },
      { zones: [] },
      { labels: { team: '' } },
      { labels: { team: 'x'.repeat(200) } },
    ];
    for (const given of never) {
      await expect(subject.pool.launch(asked(subject, given))).rejects.toThrow(LaunchRejected);
    }
    expect(await subject.pool.list()).toEqual([]);
  },
};

const lookCases: SubjectCases = {
  'lists what was launched, with its claim, before it has joined': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject));
    const [listed, ...others] = await subject.pool.list();
    expect(others).toEqual([]);
    expect(listed).toMatchObject({
      id: instances[0]?.id,
      type: subject.types[0],
      zone: subject.zones[0],
      capacityType: 'on-demand',
      isOurs: true,
      claimUid: 'claim-1',
    });
    expect(listed?.registration).toBeUndefined();
    expect(['pending', 'running']).toContain(listed?.state);
  },

  'shows what the agent says of a machine that has joined': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject, { count: 2 }));
    const id = instances[0]?.id ?? '';
    await subject.join(id);
    const listed = await subject.pool.list();
    const joined = listed.find((instance) => instance.id === id);
    expect(joined?.state).toBe('running');
    expect(joined?.registration).toMatchObject({ status: 'ACTIVE', agentConnected: true });
    expect(joined?.registration?.cpuUnits).toBeGreaterThan(0);
    expect(joined?.registration?.memoryMiB).toBeGreaterThan(0);
    expect(listed.filter(({ registration }) => registration)).toHaveLength(1);
    expect((await subject.pool.describe([id]))[0]?.instance).toEqual(joined);
  },

  'brings labels and taints with the machine': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject));
    await subject.join(instances[0]?.id ?? '');
    const [joined] = await subject.pool.list();
    expect(joined?.registration?.attributes).toMatchObject({
      'example.com/team': 'ml',
      'nullplane.io/taint-0': 'NoSchedule:dedicated:ml',
    });
  },

  'knows the shape of a type': async (subject) => {
    await subject.pool.launch(asked(subject));
    const [listed] = await subject.pool.list();
    expect(listed?.shape?.cpus).toBeGreaterThan(0);
    expect(listed?.shape?.memoryMiB).toBeGreaterThan(0);
  },

  'lists machines of others that joined the cluster, as such': async (subject) => {
    const id = await subject.joinForeign();
    const [listed] = await subject.pool.list();
    expect(listed).toMatchObject({ id, isOurs: false });
    expect(listed?.registration?.status).toBe('ACTIVE');
  },

  'says of an id that there is none, rather than nothing': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject));
    const id = instances[0]?.id ?? '';
    const described = await subject.pool.describe([subject.unknownId, id]);
    expect(described).toHaveLength(2);
    expect(answerFor(subject.unknownId, described)).toEqual({ id: subject.unknownId });
    expect(answerFor(id, described)?.instance?.id).toBe(id);
    expect(await subject.pool.describe([])).toEqual([]);
  },

  'fails rather than answer with less': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject));
    await subject.setDown(true);
    await expect(subject.pool.list()).rejects.toThrow(InstancesUnavailable);
    await expect(subject.pool.describe(ids(instances))).rejects.toThrow(InstancesUnavailable);
    await expect(subject.pool.terminate(ids(instances))).rejects.toThrow(InstancesUnavailable);
    const another = asked(subject, { claimUid: 'claim-2' });
    await expect(subject.pool.launch(another)).rejects.toThrow(InstancesUnavailable);
  },
};

const endCases: SubjectCases = {
  'ends what it launched, and a repeat is harmless': async (subject) => {
    const { instances } = await subject.pool.launch(asked(subject, { count: 2 }));
    const [first = '', second = ''] = ids(instances);
    await subject.pool.terminate([first]);
    await subject.pool.terminate([first]);
    const left = (await subject.pool.list()).filter(({ state }) => state !== 'stopping');
    expect(ids(left)).toEqual([second]);
    const answer = answerFor(first, await subject.pool.describe([first]));
    expect(['stopping', 'terminated', undefined]).toContain(answer?.instance?.state);
  },

  'leaves machines of others, and ids that nobody knows': async (subject) => {
    const foreign = await subject.joinForeign();
    const { instances } = await subject.pool.launch(asked(subject));
    await subject.pool.terminate([subject.unknownId, foreign, ...ids(instances)]);
    const left = (await subject.pool.list()).filter(({ state }) => state !== 'stopping');
    expect(ids(left)).toEqual([foreign]);
  },
};

function answerFor(id: string, described: readonly Described[]): Described | undefined {
  return described.find((answer) => answer.id === id);
}

function ids(instances: readonly { readonly id: string }[]): string[] {
  return instances.map(({ id }) => id).sort();
}
