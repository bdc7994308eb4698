/** All types of a region as EC2 describes them, and where it offers them: for the catalogue. */
import {
  type EC2Client,
  type InstanceTypeInfo,
  paginateDescribeInstanceTypeOfferings,
  paginateDescribeInstanceTypes,
} from '@aws-sdk/client-ec2';

export type { InstanceTypeInfo } from '@aws-sdk/client-ec2';

/** A type in a zone, by the zone's id. */
export interface Offering {
  readonly type: string;
  readonly zoneId: string;
}

/** As many as EC2 answers with at a time. */
const TYPES_PAGE = 100;
const OFFERINGS_PAGE = 1_000;
/** There are some 1,300 types, in at most six zones of a region. */
const MAX_PAGES = 100;

export async function describeTypes(client: EC2Client): Promise<readonly InstanceTypeInfo[]> {
  const pages = paginateDescribeInstanceTypes({ client, pageSize: TYPES_PAGE }, {});
  const found: InstanceTypeInfo[] = [];
  for await (const { InstanceTypes = [] } of bounded(pages)) found.push(...InstanceTypes);
  return found;
}

export async function describeOfferings(client: EC2Client): Promise<readonly Offering[]> {
  const query = { LocationType: 'availability-zone-id' } as const;
  const pages = paginateDescribeInstanceTypeOfferings({ client, pageSize: OFFERINGS_PAGE }, query);
  const found: Offering[] = [];
  for await (const { InstanceTypeOfferings = [] } of bounded(pages)) {
    for (const { InstanceType: type, Location: zoneId } of InstanceTypeOfferings) {
      if (type && zoneId) found.push({ type, zoneId });
    }
  }
  return found;
}

async function* bounded<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
  let count = 0;
  for await (const page of pages) {
    if (++count > MAX_PAGES) throw new Error(`an answer of EC2 has more than ${MAX_PAGES} pages`);
    yield page;
  }
}
