/**
 * STS's answer to GetCallerIdentity, as a principal. Owns which ARNs stand for somebody and the one
 * spelling of each; what they may do is decided elsewhere.
 */

/** Who signed. Nothing in it is of the caller's own choosing. */
export interface Principal {
  /** `arn:aws:iam::111122223333:role/Name`, `…:user/path/name` or `…:root`. */
  readonly arn: string;
  /** 12 digits. */
  readonly account: string;
  /** The unique id of the role or user: another one of the same name has another id. */
  readonly id: string;
}

const ACCOUNT = '[0-9]{12}';
/** IAM's characters for names; a session's name is the caller's choice and is dropped. */
const NAME = '[A-Za-z0-9_+=,.@-]{1,64}';
const ROLE_SESSION = new RegExp(`^arn:([a-z-]+):sts::(${ACCOUNT}):assumed-role/(${NAME})/${NAME}$`);
const USER = new RegExp(`^arn:([a-z-]+):iam::(${ACCOUNT}):user(?:/[\\x21-\\x7e]{1,512})?/${NAME}$`);
const ROOT = new RegExp(`^arn:([a-z-]+):iam::(${ACCOUNT}):root$`);

/** The principal of an answer's JSON; undefined when it is not one that we know. */
export function principalOf(answer: unknown, partition: string): Principal | undefined {
  const { Arn, Account, UserId } = resultOf(answer) ?? {};
  if (typeof Arn !== 'string' || typeof Account !== 'string' || typeof UserId !== 'string') {
    return undefined;
  }
  const known = canonical(Arn);
  const [id = ''] = UserId.split(':');
  if (!known || known.partition !== partition || known.account !== Account) return undefined;
  return id === '' ? undefined : { arn: known.arn, account: Account, id };
}

interface Known {
  readonly arn: string;
  readonly partition: string;
  readonly account: string;
}

/** A role's session is the role. Federated users bear a name that somebody made up: nobody. */
function canonical(arn: string): Known | undefined {
  const [session, partition = '', account = '', role = ''] = ROLE_SESSION.exec(arn) ?? [];
  if (session) return { arn: `arn:${partition}:iam::${account}:role/${role}`, partition, account };
  const [own, ownPartition = '', ownAccount = ''] = USER.exec(arn) ?? ROOT.exec(arn) ?? [];
  return own === undefined ? undefined : { arn, partition: ownPartition, account: ownAccount };
}

interface Result {
  readonly Arn?: unknown;
  readonly Account?: unknown;
  readonly UserId?: unknown;
}

function resultOf(answer: unknown): Result | undefined {
  const outer = fieldsOf(fieldsOf(answer)?.['GetCallerIdentityResponse']);
  return fieldsOf(outer?.['GetCallerIdentityResult']);
}

function fieldsOf(value: unknown): { readonly [name: string]: unknown } | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value as { readonly [name: string]: unknown };
}
