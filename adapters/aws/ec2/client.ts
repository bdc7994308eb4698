/** EC2's client, tuned as the others are: `clients.ts`. */
import { EC2Client } from '@aws-sdk/client-ec2';
import { type AwsTarget, settings } from '../clients.ts';

export function ec2Client(target: AwsTarget = {}): EC2Client {
  return new EC2Client(settings(target));
}
