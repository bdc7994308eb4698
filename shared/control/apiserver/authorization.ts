/**
 * Authorization: who may do what. Owns the default (nobody, nothing) and the words of a refusal.
 */
import { ApiError, forbidden } from '../../api/errors.ts';
import type { User } from '../../api/http.ts';
import type { Attributes, Context } from './context.ts';

/** Its members may do anything, as in Kubernetes. */
const MASTERS = 'system:masters';

/** Deny by default: what `authorize` does not allow is forbidden (D10). */
export async function checkAllowed(context: Context, attributes: Attributes): Promise<void> {
  if (await isAllowed(context, attributes)) return;
  throw refusal(context.user, attributes);
}

export async function isAllowed({ deps, user }: Context, attributes: Attributes): Promise<boolean> {
  return user.groups.includes(MASTERS) || (await deps.authorize(user, attributes));
}

function refusal(user: User, attributes: Attributes): ApiError {
  const { verb, group, resource, subresource, namespace, name, path } = attributes;
  const q = (text: string) => JSON.stringify(text);
  const who = `User ${q(user.name)} cannot ${verb}`;
  if (!resource) return new ApiError(403, 'Forbidden', `forbidden: ${who} path ${q(path)}`, {});
  const what = subresource ? `${resource}/${subresource}` : resource;
  const scope = namespace ? `in the namespace ${q(namespace)}` : 'at the cluster scope';
  const why = `${who} resource ${q(what)} in API group ${q(group)} ${scope}`;
  return forbidden({ group, plural: resource }, name, why);
}
