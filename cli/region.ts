/** The region of a command: as it is given, as a URL of AWS says, or as the environment does. */
import { type Io, UsageError } from './io.ts';

const AWS_HOST = /\.([a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2})\.(?:amazonaws\.|api\.|on\.)/;
const SQS_HOST = /^sqs\.([a-z0-9-]+)\./;

export function regionOf(given: string | undefined, url: string | undefined, { env }: Io): string {
  const host = url === undefined ? '' : (URL.parse(url)?.hostname ?? '');
  const named = AWS_HOST.exec(host)?.[1] ?? SQS_HOST.exec(host)?.[1];
  const region = given ?? named ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region) return region;
  throw new UsageError('which region? Give --region, or set AWS_REGION');
}
