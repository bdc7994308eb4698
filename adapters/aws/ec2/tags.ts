/**
 * The tags of instances: by them we know our own, and the machine learns its node's labels and
 * taints: the launch template's user data reads them from its metadata (node-user-data.sh), which
 * allows no `/` in keys. Source: Amazon EC2 user guide, "Tag restrictions".
 */
import type { Instance, Tag } from '@aws-sdk/client-ec2';
import { attributesOf } from '../../../shared/api/node-attributes.ts';
import { type LaunchRequest, LaunchRejected } from '../../../shared/ports/instances.ts';

export const INSTALLATION_TAG = 'nullplane:installation';
export const CLAIM_TAG = 'nullplane:claim';
/** `nullplane-attribute-0`, `-1` …: each `name=value`, without a gap. */
const ATTRIBUTE_TAG = 'nullplane-attribute-';

const MAX_TAGS = 50;
const KEY = /^[A-Za-z0-9+\-=._:@]{1,128}$/;
const MAX_VALUE_CHARS = 256;
/** What ECS takes, less what would end the shell's or JSON's quotes. */
const ATTRIBUTE_TEXT = /^[A-Za-z0-9\-_./:@]+$/;

/** Throws `LaunchRejected` for what can't be a tag of an instance. */
export function tagsOf(installation: string, request: LaunchRequest): Tag[] {
  const own = {
    Name: `${installation}-node`,
    ...request.tags,
    ...attributeTags(request),
    [INSTALLATION_TAG]: installation,
    [CLAIM_TAG]: request.claimUid,
  };
  const tags = Object.entries(own).map(([Key, Value]) => ({ Key, Value }));
  if (tags.length > MAX_TAGS) {
    throw new LaunchRejected(`${tags.length} tags are more than the ${MAX_TAGS} of an instance`);
  }
  const bad = tags.find(({ Key, Value }) => !KEY.test(Key) || Value.length > MAX_VALUE_CHARS);
  if (bad) throw new LaunchRejected(`"${bad.Key}=${bad.Value}" can't be a tag of an instance`);
  return tags;
}

function attributeTags({ labels, taints, capacityType }: LaunchRequest): Record<string, string> {
  const own = { 'karpenter.sh/capacity-type': capacityType };
  try {
    const attributes = Object.entries(attributesOf({ ...labels, ...own }, taints));
    const odd = attributes.flat().find((text) => !ATTRIBUTE_TEXT.test(text));
    if (odd !== undefined) throw new RangeError(`"${odd}" has characters that ECS does not take`);
    const tags = attributes.map(
      ([name, value], i) => [`${ATTRIBUTE_TAG}${i}`, `${name}=${value}`] as const,
    );
    return Object.fromEntries(tags);
  } catch (error) {
    if (error instanceof RangeError) throw new LaunchRejected(error.message, { cause: error });
    throw error;
  }
}

export function tagOf({ Tags: tags }: Pick<Instance, 'Tags'>, key: string): string | undefined {
  return tags?.find((tag) => tag.Key === key)?.Value;
}
