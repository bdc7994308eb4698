/** The vault, for who serves Secrets' values and who looks after them. */
import { ssmClient } from '../../adapters/aws/clients.ts';
import { SsmVault } from '../../adapters/aws/ssm/ssm-vault.ts';
import type { Effects } from '../../shared/control/effects.ts';
import type { Config } from './config.ts';
import type { Plane } from './plane.ts';

export function vaultOf({ vaultPrefix: prefix }: Config, clock: Effects['clock']): SsmVault {
  return new SsmVault({ client: ssmClient(), clock, prefix });
}

export function withVault(config: Config, { effects, ...plane }: Plane): Plane {
  return { ...plane, effects: { ...effects, vault: vaultOf(config, effects.clock) } };
}
