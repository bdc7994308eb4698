/**
 * The devices of one node in a pass: what is left of each, who holds what, and which devices would
 * serve a pod. It chooses among equals by itself; what is better is the caller's (`Choice`).
 *
 * Invariants:
 *  E1 What is chosen is there: of a device no more than 1,000 milli and its memory are held, a
 *     whole device by one alone, and a slice by one (S3). What was given elsewhere is taken note of
 *     even if it is too much: then nothing is left.
 *  E2 What a holder gives back is what it took.
 */
import {
  type DevicesByContainer,
  GPU,
  GPU_LINKS_LABEL,
  GPU_MEMORY_LABEL,
  GPU_NAME_LABEL,
  gpuLinksOf,
  type GpuSharing,
  gpuSharingOf,
  migSlicesOf,
  WHOLE_GPU_MILLI,
} from '../../../api/gpus.ts';
import type { Node } from '../../../api/kinds/node.ts';
import type { GpuAsk, GpuPart } from '../../pod/gpus.ts';
import { MAX_DEVICES } from './request.ts';

interface Take {
  readonly device: number;
  readonly milli: number;
  readonly memoryMiB: number;
}

/** What one pod holds. */
export interface GpuHolding {
  readonly takes: readonly Take[];
  /** Indexes in the list of slices. */
  readonly slices: readonly number[];
  readonly byContainer: DevicesByContainer;
}

interface Slice {
  readonly name: string;
  readonly profile: string;
  holders: number;
}

/** What is left of each device. */
export interface DeviceRoom {
  readonly milliLeft: Int16Array;
  readonly memoryLeft: Float64Array;
}

/** Picks one of the devices that serve a part of one. There is at least one, in order of index. */
export type Choice = (devices: readonly number[], part: GpuPart, room: DeviceRoom) => number;

/** The device that has least left. */
export const tightest: Choice = (devices, _part, { milliLeft, memoryLeft }) =>
  devices.reduce((best, device) => {
    const [left, bestLeft] = [milliLeft[device] ?? 0, milliLeft[best] ?? 0];
    if (left !== bestLeft) return left < bestLeft ? device : best;
    return (memoryLeft[device] ?? 0) < (memoryLeft[best] ?? 0) ? device : best;
  });

export class NodeDevices implements DeviceRoom {
  readonly sharing: GpuSharing | undefined;
  /** Of the GPU, as labels call it. */
  readonly model: string;
  /** Devices by index; those that are split have nothing left as such. */
  readonly count: number;
  /** Devices that are not split. */
  readonly wholeCount: number;
  readonly milliLeft: Int16Array;
  readonly memoryLeft: Float64Array;
  /** Holders whose devices somebody hands out that this node's do not know of. */
  strangers = 0;
  readonly #memoryMiB: number;
  readonly #slices: readonly Slice[];
  readonly #links: readonly (readonly number[])[];
  readonly #constants: string;

  constructor({ metadata, status }: Node) {
    const { labels = {} } = metadata;
    this.sharing = gpuSharingOf(labels);
    this.model = labels[GPU_NAME_LABEL] ?? '';
    this.#memoryMiB = Number(labels[GPU_MEMORY_LABEL] ?? 0) || 0;
    const whole = Math.floor(Number(status.allocatable?.[GPU] ?? 0)) || 0;
    const split = splitDevices(this.sharing === 'assigned' ? labels : {}, whole);
    this.count = Math.min(whole + split.size, MAX_DEVICES);
    this.wholeCount = this.count - split.size;
    this.milliLeft = new Int16Array(this.count).fill(WHOLE_GPU_MILLI);
    this.memoryLeft = new Float64Array(this.count).fill(this.#memoryMiB);
    for (const device of split.keys()) {
      this.milliLeft[device] = 0;
      this.memoryLeft[device] = 0;
    }
    this.#slices = [...split].flatMap(([device, profiles]) =>
      profiles.map((profile, i) => ({ name: `${device}:${i}`, profile, holders: 0 })),
    );
    this.#links = linkGroups(gpuLinksOf(labels), this.count);
    this.#constants = `${this.model} ${labels[GPU_LINKS_LABEL] ?? ''}`;
  }

  /** One text for all nodes on which a pod would find the same; slices make no difference. */
  get state(): string {
    return `${this.milliLeft.join()} ${this.memoryLeft.join()} ${this.#constants}`;
  }

  /** Whether there is room for all that the pod asks for. */
  fits(ask: GpuAsk): boolean {
    const [part] = ask.parts;
    if (ask.parts.length !== 1 || !part) return this.choose(ask, tightest) !== undefined;
    if (part.kind === 'whole') return this.freeDevices().length >= part.count;
    if (part.kind === 'slice') return this.#freeSlices(part.profile).length >= part.count;
    return this.#serving(part, this).length > 0;
  }

  /** What the pod would hold; undefined when there is no room for it. */
  choose(ask: GpuAsk, choice: Choice): GpuHolding | undefined {
    const room = { milliLeft: this.milliLeft.slice(), memoryLeft: this.memoryLeft.slice() };
    const takes: Take[] = [];
    const slices: number[] = [];
    const names = new Map<string, string[]>();
    for (const part of [...ask.parts].sort(largestFirst)) {
      const chosen = part.kind === 'slice' ? this.#chooseSlices(part, slices) : undefined;
      const taken = chosen ? [] : this.#chooseDevices(part, room, choice);
      if ((chosen ?? taken).length < part.count) return undefined;
      slices.push(...(chosen ?? []));
      takes.push(...taken);
      const own = names.get(part.container) ?? [];
      names.set(part.container, own);
      own.push(...taken.map(({ device }) => String(device)));
      own.push(...(chosen ?? []).map((slice) => this.#slices[slice]?.name ?? ''));
    }
    const texts = [...names].map(([container, own]) => [container, own.join(',')] as const);
    return { takes, slices, byContainer: Object.fromEntries(texts) };
  }

  /**
   * What the pod holds by what was written of it; undefined when that is not what it asks for, or
   * names what is not there.
   */
  recorded(ask: GpuAsk, byContainer: DevicesByContainer): GpuHolding | undefined {
    const left = new Map(
      Object.entries(byContainer).map(([container, text]) => [container, text.split(',')]),
    );
    const takes: Take[] = [];
    const slices: number[] = [];
    for (const part of [...ask.parts].sort(largestFirst)) {
      const names = left.get(part.container)?.splice(0, part.count) ?? [];
      if (names.length < part.count) return undefined;
      for (const name of names) {
        if (part.kind === 'slice') slices.push(this.#slices.findIndex((s) => s.name === name));
        else takes.push(this.#take(Number(name), part));
      }
    }
    const isKnown =
      slices.every((slice) => slice >= 0) && takes.every(({ device }) => device in this.milliLeft);
    return isKnown ? { takes, slices, byContainer } : undefined;
  }

  hold({ takes, slices }: GpuHolding, sign: 1 | -1): void {
    for (const take of takes) apply(this, take, sign);
    for (const index of slices) {
      const slice = this.#slices[index];
      if (slice) slice.holders += sign;
    }
  }

  /** Of devices that are joined, as many groups as these are of. */
  groupsOf(takes: readonly Take[]): number {
    return this.#links.filter((group) => takes.some(({ device }) => group.includes(device))).length;
  }

  /** Devices and slices of which more is held than there is. */
  get overheld(): readonly string[] {
    const devices = [...this.milliLeft.keys()].filter(
      (device) => (this.milliLeft[device] ?? 0) < 0 || (this.memoryLeft[device] ?? 0) < 0,
    );
    const slices = this.#slices.filter(({ holders }) => holders > 1).map(({ name }) => name);
    return [...devices.map(String), ...slices];
  }

  /** Devices that nobody uses, in order. */
  freeDevices(room: DeviceRoom = this): readonly number[] {
    const free: number[] = [];
    for (let device = 0; device < this.count; device++) {
      if (room.milliLeft[device] === WHOLE_GPU_MILLI) free.push(device);
    }
    return free;
  }

  #take(device: number, { kind, milli, memoryMiB }: GpuPart): Take {
    return { device, milli, memoryMiB: kind === 'whole' ? this.#memoryMiB : memoryMiB };
  }

  #chooseDevices(part: GpuPart, room: DeviceRoom, choice: Choice): readonly Take[] {
    const serving = part.kind === 'share' ? this.#serving(part, room) : [];
    const devices =
      part.kind === 'whole'
        ? this.#nearest(part.count, room)
        : serving.slice(0, 1).map(() => choice(serving, part, room));
    const takes = devices.map((device) => this.#take(device, part));
    for (const take of takes) apply(room, take, 1);
    return takes;
  }

  /** Devices with so much left. */
  #serving({ milli, memoryMiB }: GpuPart, { milliLeft, memoryLeft }: DeviceRoom): number[] {
    const serving: number[] = [];
    for (let device = 0; device < this.count; device++) {
      if ((milliLeft[device] ?? 0) < milli || (memoryLeft[device] ?? 0) < memoryMiB) continue;
      serving.push(device);
    }
    return serving;
  }

  /**
   * Free devices that are joined: of the smallest group that has enough, so that larger ones stay
   * for who needs them; else of as few groups as possible.
   */
  #nearest(count: number, room: DeviceRoom): readonly number[] {
    const free = this.freeDevices(room);
    if (free.length < count) return [];
    const groups = this.#links
      .map((group) => group.filter((device) => free.includes(device)))
      .filter(({ length }) => length > 0)
      .sort((a, b) => a.length - b.length);
    const enough = groups.find(({ length }) => length >= count);
    return (enough ?? groups.reverse().flat()).slice(0, count);
  }

  #chooseSlices({ profile, count }: GpuPart, taken: readonly number[]): readonly number[] {
    const free = this.#freeSlices(profile).filter((slice) => !taken.includes(slice));
    return free.slice(0, count);
  }

  #freeSlices(profile: string | undefined): readonly number[] {
    return [...this.#slices.keys()].filter((index) => {
      const slice = this.#slices[index];
      return slice?.profile === profile && slice?.holders === 0;
    });
  }
}

/** Whole devices before parts, and large parts before small ones. */
function largestFirst(a: GpuPart, b: GpuPart): number {
  return b.milli * b.count - a.milli * a.count || b.memoryMiB - a.memoryMiB;
}

function apply({ milliLeft, memoryLeft }: DeviceRoom, take: Take, sign: 1 | -1): void {
  const { device, milli, memoryMiB } = take;
  milliLeft[device] = (milliLeft[device] ?? 0) - sign * milli;
  memoryLeft[device] = (memoryLeft[device] ?? 0) - sign * memoryMiB;
}

function splitDevices(labels: { readonly [label: string]: string }, whole: number) {
  const split = migSlicesOf(labels);
  return new Map([...split].filter(([device]) => device < whole + split.size));
}

/** Each device in one group; those that no group names are one by themselves. */
function linkGroups(
  links: readonly (readonly number[])[] | undefined,
  count: number,
): readonly (readonly number[])[] {
  const all = Array.from({ length: count }, (_, device) => device);
  if (!links) return [all];
  const named = new Set(links.flat());
  const groups = links.map((group) => group.filter((device) => device < count));
  return [...groups, ...all.filter((device) => !named.has(device)).map((device) => [device])];
}
