/**
 * `npm run catalogue -- …`: writes the catalogue of instance types anew, in
 * shared/core/capacity/catalogue/. Owns where facts are fetched from; what the files look like is
 * catalogue/snapshots.ts. Limits of ENI trunking (trunking.json) and Fargate's prices have no API
 * and are kept by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { format, resolveConfig } from 'prettier';
import { credentialsAtHand } from '../adapters/aws/auth/token.ts';
import {
  describeOfferings,
  describeTypes,
  type InstanceTypeInfo,
  type Offering,
} from '../adapters/aws/ec2/catalogue.ts';
import { ec2Client } from '../adapters/aws/ec2/client.ts';
import { ec2Products } from '../adapters/aws/pricing/price-list.ts';
import { SystemClock } from '../adapters/node/system-clock.ts';
import type { InstanceType } from '../shared/api/instance.ts';
import type { About } from '../shared/core/capacity/catalogue/types.ts';
import {
  offeringsFile,
  type Prices,
  pricesFile,
  typesFile,
  typesOf,
} from './catalogue/snapshots.ts';
import { pricesOfProducts, pricesOfTable } from './catalogue/sources.ts';

const FOLDER = join(import.meta.dirname, '../shared/core/capacity/catalogue');

const REGIONS = [
  'us-east-1',
  'us-east-2',
  'us-west-2',
  'eu-west-1',
  'eu-central-1',
  'ap-northeast-1',
  'ap-southeast-1',
  'ap-southeast-2',
];

const HELP = `Writes the catalogue of EC2's instance types anew, from EC2 and the AWS price list.

Usage: npm run catalogue -- [options]

  --regions LIST        types of these regions, and in which zones they are offered
                        (default ${REGIONS.slice(0, 4).join(',')},
                        ${REGIONS.slice(4).join(',')})
  --price-regions LIST  prices of these regions (default us-east-1)
  --from-moto FOLDER    types and zones from the data of the Python package moto instead of EC2;
                        FOLDER is the package's own, such as venv/lib/python3.13/site-packages/moto
  --prices-from FILE    prices from a table such as Karpenter's provider for AWS ships
                        (pkg/providers/pricing/zz_generated.pricing_aws.go)
  --date YYYY-MM-DD     the day that the types are of (default today; needed with --from-moto)
  --to FOLDER           where the files go (default shared/core/capacity/catalogue)
  --help                this text

What is asked of AWS: ec2:DescribeInstanceTypes and ec2:DescribeInstanceTypeOfferings in each of
the regions, pricing:GetProducts. The files that ship were made with --from-moto and --prices-from.
`;

interface Options {
  readonly regions: readonly string[];
  readonly priceRegions: readonly string[];
  readonly moto: string | undefined;
  readonly pricesFrom: string | undefined;
  readonly date: string;
  readonly folder: string;
}

const clock = new SystemClock();

function options(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      regions: { type: 'string', default: REGIONS.join(',') },
      'price-regions': { type: 'string', default: 'us-east-1' },
      'from-moto': { type: 'string' },
      'prices-from': { type: 'string' },
      date: { type: 'string' },
      to: { type: 'string', default: FOLDER },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const today = new Date(clock.nowMs()).toISOString().slice(0, 10);
  const { 'from-moto': moto, date = moto === undefined ? today : undefined } = values;
  if (date === undefined) throw new Error('of which day are the data of moto? Say --date');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) throw new Error(`--date: ${date} is no YYYY-MM-DD`);
  return {
    regions: values.regions.split(','),
    priceRegions: values['price-regions'].split(','),
    moto,
    pricesFrom: values['prices-from'],
    date,
    folder: values.to,
  };
}

interface Described {
  readonly source: string;
  readonly infos: readonly InstanceTypeInfo[];
  readonly offerings: ReadonlyMap<string, readonly Offering[]>;
}

async function describedByEc2({ regions }: Options): Promise<Described> {
  const infos: InstanceTypeInfo[] = [];
  const offerings = new Map<string, readonly Offering[]>();
  for (const region of regions) {
    const client = ec2Client({ region });
    infos.push(...(await describeTypes(client)));
    offerings.set(region, await describeOfferings(client));
  }
  return { source: 'EC2: DescribeInstanceTypes, DescribeInstanceTypeOfferings', infos, offerings };
}

/** Moto carries EC2's own answers, with the names of the wire. */
function describedByMoto({ regions }: Options, moto: string): Described {
  const read = (path: string): unknown =>
    JSON.parse(gunzipSync(readFileSync(join(moto, 'ec2/resources', path))).toString('utf8'));
  const version = /__version__ = "([^"]+)"/.exec(readFileSync(join(moto, '__init__.py'), 'utf8'));
  const types = read('instance_types.json.gz') as Record<string, InstanceTypeInfo>;
  const offerings = regions.map((region) => {
    const path = `instance_type_offerings/availability-zone-id/${region}.json.gz`;
    const told = read(path) as { InstanceType: string; Location: string }[];
    const found = told.map(({ InstanceType: type, Location: zoneId }) => ({ type, zoneId }));
    return [region, found] as const;
  });
  return {
    source: `EC2's answers as moto ${version?.[1] ?? ''} carries them`,
    infos: Object.values(types),
    offerings: new Map(offerings),
  };
}

interface Priced {
  readonly about: About;
  readonly byRegion: ReadonlyMap<string, Prices>;
}

async function priced({ pricesFrom, priceRegions, date }: Options): Promise<Priced> {
  if (pricesFrom !== undefined) {
    const table = pricesOfTable(readFileSync(pricesFrom, 'utf8'));
    const source = `AWS Price List, as Karpenter's ${basename(pricesFrom)} has it`;
    return { about: { source, date: table.date }, byRegion: table.byRegion };
  }
  const credentials = await credentialsAtHand(process.env['AWS_PROFILE']);
  const byRegion = new Map<string, Prices>();
  for (const region of priceRegions) {
    const products = await ec2Products(region, { credentials, nowMs: () => clock.nowMs() });
    byRegion.set(region, pricesOfProducts(products));
  }
  return { about: { source: 'AWS Price List Query API', date }, byRegion };
}

async function write(folder: string, name: string, content: object): Promise<void> {
  const path = join(folder, name);
  const style = await resolveConfig(join(FOLDER, name));
  const text = await format(JSON.stringify(content, undefined, 2), { ...style, parser: 'json' });
  writeFileSync(path, text);
  console.log(`${path}: ${Buffer.byteLength(text)} bytes`);
}

async function refresh(given: Options): Promise<void> {
  const { moto, date, folder } = given;
  const described = moto === undefined ? await describedByEc2(given) : describedByMoto(given, moto);
  const prices = await priced(given);
  const types: readonly InstanceType[] = typesOf(described.infos);
  const about = { source: described.source, date };
  await write(folder, 'types.json', typesFile(types, about));
  await write(folder, 'offerings.json', offeringsFile(described.offerings, types, about));
  await write(folder, 'prices.json', pricesFile(prices.byRegion, types, prices.about));
  console.log(`${types.length} types`);
}

try {
  const given = options(process.argv.slice(2));
  if (given) await refresh(given);
  else process.stdout.write(HELP);
} catch (error) {
  process.stderr.write(`catalogue: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
