/**
 * A type as one line of text: short enough to travel with a function, and a line of its own in a
 * difference between two snapshots. Such as
 *
 *     g5.12xlarge 48 196608 15 50 40000 dn efa=1 nvme=3800 gpu=a10g/nvidia/4/22888
 *
 * name, vCPUs, MiB of memory, network interfaces, IPv4 addresses of each, Mbps, letters; then what
 * not every type has. A device is name/manufacturer/count/MiB of each.
 *
 * Invariant: encoding and decoding are each other's inverse; what has no letter is an error.
 */
import type { Device, InstanceType } from '../../../api/instance.ts';

const ARM = 'a';
const BARE_METAL = 'm';
const BURSTABLE = 'b';
const PREVIOUS_GENERATION = 'p';
const ON_DEMAND_ONLY = 'o';
const CPUS: ReadonlyMap<string, string> = new Map([
  ['i', 'intel'],
  ['d', 'amd'],
  ['w', 'aws'],
]);
const HYPERVISORS: ReadonlyMap<string, string> = new Map([
  ['n', 'nitro'],
  ['x', 'xen'],
]);
/** In place of letters. */
const NONE = '-';

/** Throws a RangeError for what a line has no word for. */
export function encodeType(type: InstanceType): string {
  const { name, cpus, memoryMiB, networkInterfaces, ipv4PerInterface, networkMbps } = type;
  const { efaInterfaces, localNvmeGB, gpu, accelerator } = type;
  const numbers = [cpus, memoryMiB, networkInterfaces, ipv4PerInterface, networkMbps];
  const rest = [
    ...(efaInterfaces > 0 ? [`efa=${efaInterfaces}`] : []),
    ...(localNvmeGB === undefined ? [] : [`nvme=${localNvmeGB}`]),
    ...(gpu ? [`gpu=${encodeDevice(gpu)}`] : []),
    ...(accelerator ? [`acc=${encodeDevice(accelerator)}`] : []),
  ];
  return [name, ...numbers, lettersOf(type) || NONE, ...rest].join(' ');
}

function lettersOf(type: InstanceType): string {
  const { capacityTypes } = type;
  if (!capacityTypes.includes('on-demand')) throw new RangeError(`${type.name} is not on demand`);
  return [
    letterOf(CPUS, type.cpuManufacturer),
    letterOf(HYPERVISORS, type.hypervisor),
    type.arch === 'arm64' ? ARM : '',
    type.isBareMetal ? BARE_METAL : '',
    type.isBurstable ? BURSTABLE : '',
    type.isCurrentGeneration ? '' : PREVIOUS_GENERATION,
    capacityTypes.includes('spot') ? '' : ON_DEMAND_ONLY,
  ].join('');
}

function letterOf(words: ReadonlyMap<string, string>, word: string | undefined): string {
  if (word === undefined) return '';
  for (const [letter, known] of words) if (known === word) return letter;
  throw new RangeError(`no letter for "${word}"`);
}

function encodeDevice({ name, manufacturer = '', count, memoryMiB }: Device): string {
  const text = [name, manufacturer, count, memoryMiB].join('/');
  if (/[\s=]/.test(text) || text.split('/').length !== 4)
    throw new RangeError(`no device: ${text}`);
  return text;
}

type Writable<T> = { -readonly [key in keyof T]: T[key] };

/** Of a line that `encodeType` wrote. */
export function decodeType(line: string): InstanceType {
  const words = line.split(' ');
  const type: Writable<InstanceType> = {
    ...traitsOf(words[LETTERS] ?? ''),
    name: words[0] ?? '',
    cpus: Number(words[1]),
    memoryMiB: Number(words[2]),
    networkInterfaces: Number(words[3]),
    ipv4PerInterface: Number(words[4]),
    networkMbps: Number(words[5]),
    efaInterfaces: 0,
  };
  for (let i = LETTERS + 1; i < words.length; i++) decodePart(words[i] ?? '', type);
  return type;
}

/** Where the letters stand in a line. */
const LETTERS = 6;

type Traits = Pick<
  InstanceType,
  | 'arch'
  | 'cpuManufacturer'
  | 'hypervisor'
  | 'isBareMetal'
  | 'isBurstable'
  | 'isCurrentGeneration'
  | 'capacityTypes'
>;

/** A thousand lines have some thirty words of letters. */
const known = new Map<string, Traits>();

function traitsOf(letters: string): Traits {
  const traits = known.get(letters) ?? decodeLetters(letters);
  known.set(letters, traits);
  return traits;
}

function decodeLetters(letters: string): Traits {
  const cpuManufacturer = wordOf(CPUS, letters);
  const hypervisor = wordOf(HYPERVISORS, letters);
  return {
    arch: letters.includes(ARM) ? 'arm64' : 'amd64',
    ...(cpuManufacturer === undefined ? {} : { cpuManufacturer }),
    ...(hypervisor === undefined ? {} : { hypervisor }),
    isBareMetal: letters.includes(BARE_METAL),
    isBurstable: letters.includes(BURSTABLE),
    isCurrentGeneration: !letters.includes(PREVIOUS_GENERATION),
    capacityTypes: letters.includes(ON_DEMAND_ONLY) ? ['on-demand'] : ['on-demand', 'spot'],
  };
}

function decodePart(part: string, into: Writable<InstanceType>): void {
  const at = part.indexOf('=');
  const value = part.slice(at + 1);
  switch (part.slice(0, at)) {
    case 'efa':
      into.efaInterfaces = Number(value);
      break;
    case 'nvme':
      into.localNvmeGB = Number(value);
      break;
    case 'gpu':
      into.gpu = decodeDevice(value);
      break;
    case 'acc':
      into.accelerator = decodeDevice(value);
      break;
    default:
      throw new RangeError(`no part of a type: ${part}`);
  }
}

function wordOf(words: ReadonlyMap<string, string>, letters: string): string | undefined {
  for (const [letter, word] of words) if (letters.includes(letter)) return word;
  return undefined;
}

function decodeDevice(text: string): Device {
  const [name = '', manufacturer = '', count, memoryMiB] = text.split('/');
  const device = { name, count: Number(count), memoryMiB: Number(memoryMiB) };
  return manufacturer === '' ? device : { ...device, manufacturer };
}
