/** Composition of the API server, which the api function alone has. */
import { StsAuthenticator } from '../../adapters/aws/auth/sts-authenticator.ts';
import type { ApiHandler } from '../../shared/api/http.ts';
import { allowedByGroups } from '../../shared/control/apiserver/authorization.ts';
import { authenticateByIam, Principals } from '../../shared/control/apiserver/principals.ts';
import { versionInfo } from '../../shared/control/apiserver/server-version.ts';
import { createApiServer } from '../../shared/control/apiserver/server.ts';
import { ensureSystemObjects } from '../../shared/control/apiserver/system-objects.ts';
import type { Effects } from '../../shared/control/effects.ts';
import { promptly } from '../../shared/control/prompt.ts';
import { vaultedStore } from '../../shared/control/vaulted-store.ts';
import { ensureVirtualNodes } from '../../shared/control/virtual-nodes.ts';
import { vaultOf } from './compose-vault.ts';
import type { Config } from './config.ts';
import type { Plane } from './plane.ts';

/** What the api function is made of: `ApiFunction` of lambdas/api. */
export interface ApiParts {
  readonly handle: ApiHandler;
  readonly flush: () => Promise<void>;
  readonly clock: Effects['clock'];
  readonly recorder: Effects['recorder'];
  readonly streaming: boolean;
}

/** Objects that are written are woken; Secrets show their values, which the table does not have. */
export function apiOf(config: Config, { effects, routes }: Plane): ApiParts {
  const { clock, ids, recorder, runtime } = effects;
  const prompt = promptly(effects, routes);
  const vault = vaultOf(config, clock);
  const store = vaultedStore(prompt.store, { vault, clock, ids, recorder });
  const { adminArns, region, installation: clusterId, stsEndpoint } = config;
  const sts = new StsAuthenticator({
    ...{ clusterId, region, clock, recorder },
    ...(stsEndpoint === undefined ? {} : { stsEndpoint }),
  });
  const principals = new Principals({ store: effects.store, clock, recorder, adminArns });
  const server = createApiServer({
    ...{ store, clock, ids, recorder, runtime },
    authenticate: authenticateByIam((authorization) => sts.principal(authorization), principals),
    authorize: allowedByGroups,
    version: versionInfo(
      config.version,
      `node ${process.version}`,
      `${process.platform}/${process.arch}`,
    ),
  });
  const prepare = async (): Promise<void> => {
    const under = { ...effects, store: prompt.store };
    await ensureSystemObjects(under);
    await ensureVirtualNodes(under, region);
  };
  return {
    ...{ clock, recorder },
    handle: onceReady(prepare, server.handle, effects),
    flush: prompt.flush,
    streaming: config.streaming,
  };
}

/**
 * Has what every cluster has made before the first request is answered. Best effort: who asks for
 * what is missing hears so, and the next request tries again.
 */
function onceReady(
  prepare: () => Promise<void>,
  handle: ApiHandler,
  { recorder }: Pick<Effects, 'recorder'>,
): ApiHandler {
  let ready: Promise<void> | undefined;
  const failed = (error: unknown): void => {
    ready = undefined;
    const fields = { error: String(error) };
    recorder.log({ level: 'warn', message: 'system objects are not made yet', fields });
  };
  return async (request) => {
    ready ??= prepare().catch(failed);
    await ready;
    return handle(request);
  };
}
