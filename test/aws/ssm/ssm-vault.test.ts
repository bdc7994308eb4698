/** SsmVault against MiniStack and moto: the contract, and what is SSM's own. */
import { DescribeParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ssmClient } from '../../../adapters/aws/clients.ts';
import { SsmVault } from '../../../adapters/aws/ssm/ssm-vault.ts';
import { SystemClock } from '../../../adapters/node/system-clock.ts';
import { partNames } from '../../../shared/api/vault-ref.ts';
import { VaultTooLarge } from '../../../shared/ports/vault.ts';
import { values, vaultContract } from '../../contract/vault.contract.ts';
import { type Emulator, startEmulator } from '../support/emulators.ts';

const PREFIX = '/nullplane/secrets';

describe.each(['ministack', 'moto'] as const)('on %s', (name) => {
  let emulator: Emulator;
  let client: SSMClient;

  beforeAll(async () => {
    emulator = await startEmulator(name);
    client = ssmClient({ endpoint: emulator.endpoint, region: emulator.region });
  });
  afterAll(async () => {
    client?.destroy();
    await emulator?.stop();
  });

  const make = (options = {}) =>
    new SsmVault({ client, clock: new SystemClock(), prefix: PREFIX, maxParts: 200, ...options });

  vaultContract({ name: 'SsmVault', make });

  it('keeps parts as SecureStrings, large ones advanced only when that is wanted', async () => {
    const given = values({ large: 'x'.repeat(8_000), small: 'y' });
    const plain = await make().put('default/tiers/1', given);
    expect(partNames(plain)).toHaveLength(3);
    const advanced = await make({ advanced: true }).put('default/tiers/2', given);
    expect(partNames(advanced)).toEqual([
      `${PREFIX}/default/tiers/2/k/large`,
      `${PREFIX}/default/tiers/2/k/small`,
    ]);
    const filter = { Key: 'Path', Option: 'Recursive', Values: [`${PREFIX}/default/tiers`] };
    const command = new DescribeParametersCommand({ ParameterFilters: [filter] });
    const { Parameters: parameters = [] } = await client.send(command);
    expect(new Set(parameters.map(({ Type }) => Type))).toEqual(new Set(['SecureString']));
    const large = parameters.filter(({ Tier }) => Tier === 'Advanced').map(({ Name }) => Name);
    expect(large).toEqual([`${PREFIX}/default/tiers/2/k/large`]);
  });

  it('refuses more parameters than it may write, before it writes any', async () => {
    const vault = make({ maxParts: 2 });
    const put = vault.put('default/many/1', values({ a: '1', b: '2', c: '3' }));
    await expect(put).rejects.toThrow(VaultTooLarge);
    const listed = (await make().list()).parts.map((part) => part.name);
    expect(listed.filter((part) => part.includes('/many/'))).toEqual([]);
  });
});
