import type { NodeImage } from '../../../shared/api/node-images.ts';

/** What an installation tells the pool of instances. */
export interface Ec2Settings {
  /** The name that everything of the installation starts with. */
  readonly installation: string;
  readonly cluster: string;
  /** Where machines may be; their zones are looked up. */
  readonly subnets: readonly string[];
  readonly launchTemplateId: string;
  /** A version's number, `$Default` or `$Latest`. */
  readonly launchTemplateVersion?: string;
  /** The image of the launch template. Types that need another one get it, if they are known. */
  readonly nodeImage?: NodeImage;
}
