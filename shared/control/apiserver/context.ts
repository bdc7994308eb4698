/**
 * What the API server is given, and what a request carries on its way through it. Owns no behaviour
 * but the collecting of warnings.
 */
import type { ApiRequest, User } from '../../api/http.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Recorder } from '../../ports/recorder.ts';
import type { TaskRuntime } from '../../ports/runtime.ts';
import type { Store } from '../../ports/store.ts';

export interface ApiServerDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly recorder: Recorder;
  /** For logs and exec; without one they are refused. */
  readonly runtime?: Pick<TaskRuntime, 'logs' | 'exec'>;
  /** Who asks; undefined for a request without valid credentials. */
  readonly authenticate: (request: ApiRequest) => Promise<User | undefined> | User | undefined;
  /** What is not allowed here is forbidden. Members of system:masters are not asked about. */
  readonly authorize: (user: User, attributes: Attributes) => Promise<boolean> | boolean;
  readonly version: VersionInfo;
  /** A watch or a followed log ends by itself after this time: a Lambda lives for 15 minutes. */
  readonly maxStreamMs?: number;
}

/** The answer of /version. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/**
 * What a request wants to do. For paths that are no resource, `resource` is '' and `path` counts.
 */
export interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
}

/** One request on its way. */
export interface Context {
  readonly deps: ApiServerDeps;
  readonly request: ApiRequest;
  readonly user: User;
  readonly nowMs: number;
  /** Kubernetes' `Audit-Id`: what the request does further on can be traced back to it. */
  readonly auditId: string;
  /** Sent as Warning headers; kubectl prints them. */
  readonly warnings: Set<string>;
  /** What the write did, for its audit record. */
  readonly audited: { name?: string; resourceVersion?: string };
}

/** As many as a client may want to read; the rest is cut off. */
const MAX_WARNINGS = 32;

export function warn(context: Context, ...texts: readonly string[]): void {
  for (const text of texts) if (context.warnings.size < MAX_WARNINGS) context.warnings.add(text);
}
