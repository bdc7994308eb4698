/**
 * Where STS answers: the exact host names of a region, by partition. Owns the names; a host that is
 * not listed here is never asked anything.
 */

/** What regions of a partition begin with, and the domains of its services. */
const PARTITIONS: readonly {
  readonly name: string;
  readonly regions: RegExp;
  readonly domain: string;
  readonly dualStackDomain?: string;
}[] = [
  partition('aws-cn', /^cn-/, 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'),
  partition('aws-us-gov', /^us-gov-/, 'amazonaws.com', 'api.aws'),
  partition('aws-iso', /^us-iso-/, 'c2s.ic.gov'),
  partition('aws-iso-b', /^us-isob-/, 'sc2s.sgov.gov'),
  partition('aws-iso-e', /^eu-isoe-/, 'cloud.adc-e.uk'),
  partition('aws-iso-f', /^us-isof-/, 'csp.hci.ic.gov'),
  partition('aws-eusc', /^eusc-/, 'amazonaws.eu', 'api.amazonwebservices.eu'),
  partition('aws', /^/, 'amazonaws.com', 'api.aws'),
];

function partition(name: string, regions: RegExp, domain: string, dualStackDomain?: string) {
  return { name, regions, domain, ...(dualStackDomain && { dualStackDomain }) };
}

const REGION = /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$/;
/** The partition's one host without a region, which signs as this region. */
const GLOBAL_HOST = 'sts.amazonaws.com';
const GLOBAL_REGION = 'us-east-1';

/** The partition of a region, such as `aws`. Throws a RangeError for what is no region. */
export function partitionOf(region: string): string {
  return found(region).name;
}

/** The host that tokens for a region are signed for. */
export function stsHostOf(region: string): string {
  return `sts.${region}.${found(region).domain}`;
}

/**
 * Each host that may be named by a token, with the region that its signature is for: regional,
 * FIPS, dual-stack, and the global one where the partition has it.
 */
export function stsHosts(regions: readonly string[]): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>();
  for (const region of regions) {
    const { name, domain, dualStackDomain } = found(region);
    for (const suffix of [domain, dualStackDomain]) {
      if (suffix === undefined) continue;
      hosts.set(`sts.${region}.${suffix}`, region);
      hosts.set(`sts-fips.${region}.${suffix}`, region);
    }
    if (name === 'aws') hosts.set(GLOBAL_HOST, GLOBAL_REGION);
  }
  return hosts;
}

function found(region: string) {
  const known = PARTITIONS.find(({ regions }) => regions.test(region));
  if (known && REGION.test(region)) return known;
  throw new RangeError(`${JSON.stringify(region)} is not an AWS region`);
}
