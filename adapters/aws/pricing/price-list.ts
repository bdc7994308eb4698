/**
 * The prices of EC2's types in a region, from the AWS Price List Query API. One operation, asked
 * now and then by a person: a signed request does, where a client would be a package more. Source:
 * AWS Billing user guide, Price List Query API; GetProducts.
 */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Credentials } from '../auth/token.ts';

/** The API is in a few regions only; each of them answers for all. */
const REGION = 'us-east-1';
const HOST = `api.pricing.${REGION}.amazonaws.com`;
/** As many as the API answers with at a time. */
const PAGE = 100;
/** A region has some 1,300 prices of this kind. */
const MAX_PAGES = 100;
const TIMEOUT_MS = 30_000;

export interface PriceListOptions {
  readonly credentials: Credentials;
  readonly nowMs: () => number;
  /** In place of the network: for tests. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Linux on shared machines, on demand, without licences. */
const FILTERS: readonly (readonly [field: string, value: string])[] = [
  ['operatingSystem', 'Linux'],
  ['tenancy', 'Shared'],
  ['preInstalledSw', 'NA'],
  ['capacitystatus', 'Used'],
  ['marketoption', 'OnDemand'],
];

/** Products, each a JSON text. Rejects when the API does not answer with all of them. */
export async function ec2Products(region: string, options: PriceListOptions): Promise<string[]> {
  const query = {
    ServiceCode: 'AmazonEC2',
    FormatVersion: 'aws_v1',
    MaxResults: PAGE,
    Filters: [...FILTERS, ['regionCode', region] as const].map(([Field, Value]) => ({
      Type: 'TERM_MATCH',
      Field,
      Value,
    })),
  };
  const found: string[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await ask({ ...query, ...(NextToken ? { NextToken } : {}) }, options);
    found.push(...(answer.PriceList ?? []));
    NextToken = answer.NextToken;
    if (!NextToken) return found;
  }
  throw new Error(`prices of ${region} fill more than ${MAX_PAGES} pages`);
}

interface Answer {
  readonly PriceList?: readonly string[];
  readonly NextToken?: string;
}

async function ask(query: object, options: PriceListOptions): Promise<Answer> {
  const { credentials, nowMs, fetch: send = fetch } = options;
  const body = JSON.stringify(query);
  const signer = new SignatureV4({
    service: 'pricing',
    region: REGION,
    sha256: Sha256,
    credentials,
  });
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: HOST,
      path: '/',
      query: {},
      headers: {
        host: HOST,
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'AWSPriceListService.GetProducts',
      },
      body,
    },
    { signingDate: new Date(nowMs()) },
  );
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await send(`https://${HOST}/`, { method: 'POST', headers, body, signal });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`GetProducts: ${answer.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as Answer;
}
