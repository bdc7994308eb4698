/** Starts that can't succeed: they say why, and leave nothing running. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startLocal } from '../../local/start.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nullplane-start-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(name: string, given: { port?: number; kubeconfigPath?: string } = {}) {
  return startLocal({
    port: 0,
    dataPath: join(folder, name),
    kubeconfigPath: join(folder, 'kubeconfig'),
    runtime: 'simulated',
    simulatedDelays: 'none',
    nodeGroups: [],
    verbose: false,
    ...given,
  });
}

describe('a start that fails', () => {
  it('names the port that is in use, and lets go of the state file', async () => {
    const first = await start('first.db');
    const port = Number(new URL(first.server).port);
    await expect(start('second.db', { port })).rejects.toThrow(`port ${port} is in use`);
    await first.close();
    const second = await start('second.db');
    await second.close();
  });

  it('lets go of the state file when the kubeconfig can not be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    const kubeconfigPath = join(folder, 'file', 'kubeconfig');
    await expect(start('state.db', { kubeconfigPath })).rejects.toThrow(/kubeconfig|file/);
    const again = await start('state.db');
    await again.close();
  });

  it.each(['', '{', '[]', '{"token":"x"}'])(
    'says that the identity is damaged: %j',
    async (text) => {
      writeFileSync(join(folder, 'state.db.identity.json'), text);
      await expect(start('state.db')).rejects.toThrow(/identity\.json is damaged/);
    },
  );
});
