/**
 * Who is who: IAM principals as users of the cluster. Owns the mapping that a cluster's admins keep
 * in the ConfigMap `kube-system/aws-auth`, in the form that EKS made known; who signed a request is
 * known before, and what a group may do is decided after (authorization.ts).
 *
 * Invariants:
 *  P1 What is malformed grants nothing, is told to the log once, and spoils nothing beside it.
 *  P2 The admins that the installation names are admins whatever the ConfigMap says, or lacks.
 *  P3 No name is of the caller's own choosing: session names and key ids are not filled in.
 */
import type { ApiRequest, User } from '../../api/http.ts';
import { isJsonObject, type JsonObject } from '../../api/json.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Recorder } from '../../ports/recorder.ts';
import type { Store } from '../../ports/store.ts';
import { AUTHENTICATED, MASTERS, SYSTEM_NAMESPACE } from './authorization.ts';
import { parseYaml } from './yaml.ts';

/** Who signed a request, as AWS vouches for it. */
export interface IamPrincipal {
  /** A role's without its path; `arn:aws:iam::111122223333:role/Deployer`. */
  readonly arn: string;
  readonly account: string;
}

export interface PrincipalsDeps {
  readonly store: Pick<Store, 'get'>;
  readonly clock: Clock;
  readonly recorder: Recorder;
  /** Roles and users that are in system:masters. */
  readonly adminArns: readonly string[];
}

const CONFIG_MAP = { resource: 'configmaps', namespace: SYSTEM_NAMESPACE, name: 'aws-auth' };
/** A change of the mapping holds everywhere after this time. */
const MAX_AGE_MS = 10_000;
/** A mapping of more entries is no mapping of people and pipelines. */
const MAX_ENTRIES = 1_000;
const MAX_GROUPS = 100;

/** A role may be written with its path: names of roles are unique in an account without it. */
const ROLE_ARN =
  /^(arn:[a-z-]{3,20}:iam::[0-9]{12}:role\/)(?:[\x21-\x7e]{0,511}\/)?([\w+=,.@-]{1,64})$/;
const USER_ARN =
  /^arn:[a-z-]{3,20}:iam::[0-9]{12}:(root|user\/([\x21-\x7e]{0,511}\/)?[\w+=,.@-]{1,64})$/;
/** Of users and groups. */
const NAME = /^[\x21-\x7e]([\x20-\x7e]{0,251}[\x21-\x7e])?$/;
/** Names that the server gives. */
const RESERVED = 'system:';

interface Mapped {
  readonly username: string;
  readonly groups: readonly string[];
}

type Mapping = ReadonlyMap<string, Mapped>;

/** The users of principals, read again now and then. */
export class Principals {
  readonly #deps: PrincipalsDeps;
  readonly #admins: ReadonlySet<string>;
  #mapping: Mapping = new Map();
  #resourceVersion: string | undefined;
  #readAtMs = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(deps: PrincipalsDeps) {
    this.#deps = deps;
    this.#admins = new Set(deps.adminArns.flatMap((arn) => this.#adminArn(arn)));
  }

  /** The user of a principal; undefined for one that nobody mapped. Throws the store's errors. */
  async userOf({ arn, account }: IamPrincipal): Promise<User | undefined> {
    if (this.#admins.has(arn)) return { name: arn, groups: [MASTERS, AUTHENTICATED] };
    const { clock, recorder } = this.#deps;
    if (clock.nowMs() - this.#readAtMs >= MAX_AGE_MS) await this.#read();
    const mapped = this.#mapping.get(arn);
    if (!mapped) {
      const fields = { arn };
      recorder.log({ level: 'info', message: 'principal is not mapped to a user', fields });
      return undefined;
    }
    const name = mapped.username.replaceAll('{{AccountID}}', account);
    return { name, groups: [...new Set([...mapped.groups, AUTHENTICATED])] };
  }

  #adminArn(given: string): readonly string[] {
    const arn = roleArn(given) ?? userArn(given);
    if (arn !== undefined) return [arn];
    this.#warn('admin is no role and no user: ignored', { arn: given });
    return [];
  }

  /** One read at a time, whoever asks. */
  #read(): Promise<void> {
    const { store, clock } = this.#deps;
    const startedAtMs = clock.nowMs();
    this.#reading ??= store
      .get(CONFIG_MAP)
      .then((found) => {
        this.#readAtMs = startedAtMs;
        this.#take(found);
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  #take(found: AnyObject | undefined): void {
    const version = found?.metadata.resourceVersion ?? '';
    if (version === this.#resourceVersion) return;
    this.#resourceVersion = version;
    const data = found?.['data'];
    this.#mapping = this.#mappingOf(isJsonObject(data) ? data : {});
  }

  #mappingOf(data: JsonObject): Mapping {
    const mapping = new Map<string, Mapped>();
    const fields = [
      ['mapRoles', 'rolearn', roleArn],
      ['mapUsers', 'userarn', userArn],
    ] as const;
    for (const [field, key, arnOf] of fields) {
      for (const [index, entry] of this.#entries(field, data[field]).entries()) {
        const where = { entry: `${field}[${index}]` };
        const arn = isJsonObject(entry) ? arnOf(entry[key]) : undefined;
        const mapped = isJsonObject(entry) && arn ? mappedOf(entry, arn) : `${key} is not one`;
        if (arn === undefined || typeof mapped === 'string') {
          this.#warn('entry of aws-auth ignored', { ...where, reason: mapped });
          continue;
        }
        if (mapping.has(arn)) this.#warn('entry of aws-auth replaces an earlier one', where);
        mapping.set(arn, mapped);
      }
    }
    if (data['mapAccounts'] !== undefined) {
      this.#warn('mapAccounts of aws-auth is not served: it would let in whole accounts', {});
    }
    return mapping;
  }

  #entries(field: string, text: unknown): readonly unknown[] {
    if (typeof text !== 'string' || text.trim() === '') return [];
    try {
      const { value } = parseYaml(text);
      if (Array.isArray(value) && value.length <= MAX_ENTRIES) return value as readonly unknown[];
      const reason = `not a list of at most ${MAX_ENTRIES} entries`;
      this.#warn('field of aws-auth ignored', { field, reason });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn('field of aws-auth ignored', { field, reason });
    }
    return [];
  }

  #warn(message: string, fields: { readonly [name: string]: unknown }): void {
    this.#deps.recorder.log({ level: 'warn', message, fields });
  }
}

/** The API server's `authenticate`: who signed, then who that is here. */
export function authenticateByIam(
  signer: (authorization: string | undefined) => Promise<IamPrincipal | undefined>,
  principals: Principals,
): (request: Pick<ApiRequest, 'headers'>) => Promise<User | undefined> {
  return async ({ headers }) => {
    const principal = await signer(headers['authorization']);
    return principal && principals.userOf(principal);
  };
}

function roleArn(given: unknown): string | undefined {
  const [, start, name] = (typeof given === 'string' && ROLE_ARN.exec(given)) || [];
  return start !== undefined && name !== undefined ? start + name : undefined;
}

function userArn(given: unknown): string | undefined {
  return typeof given === 'string' && USER_ARN.test(given) ? given : undefined;
}

/** Who an entry makes of its principal, or why it is ignored. */
function mappedOf(entry: JsonObject, arn: string): Mapped | string {
  const { username = arn, groups = [] } = entry;
  if (typeof username !== 'string' || !NAME.test(username)) return 'username is not a name';
  if (username.startsWith(RESERVED)) return 'names that begin with system: are the server’s own';
  if (/\{\{|\}\}/.test(username.replaceAll('{{AccountID}}', ''))) {
    return 'username has a template other than {{AccountID}}: callers would choose their name';
  }
  const isList = Array.isArray(groups) && groups.length <= MAX_GROUPS;
  if (!isList) return `groups is not a list of at most ${MAX_GROUPS}`;
  const names = (groups as readonly unknown[]).filter((group) => typeof group === 'string');
  const areNames = names.length === groups.length && names.every((name) => NAME.test(name));
  return areNames ? { username, groups: names } : 'a group is not a name';
}
