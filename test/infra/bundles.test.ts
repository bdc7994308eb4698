/**
 * What a function's bundle holds: its own code, small enough to start cold, and nothing of local
 * mode.
 */
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

/** Handlers are given what they are composed of: that counts as well. */
const CONTROLLERS = 'shared/control/registry.ts';
const FUNCTIONS: readonly (readonly [name: string, composedOf: readonly string[]])[] = [
  ['api', ['shared/control/apiserver/server.ts']],
  ['router', [CONTROLLERS]],
  ['reconciler', [CONTROLLERS]],
  ['scheduler', []],
  ['health', []],
];

/** Minified, apart from the SDK that Lambda's runtime brings. */
const MAX_BUNDLE_BYTES = 1_000_000;

const LOCAL_ONLY = /node_modules\/(dockerode|ws|@peculiar)\/|^adapters\/(docker|sqlite|memory)\//;

describe.each(FUNCTIONS)('the bundle of %s', (name, composedOf) => {
  it('is small, and holds nothing of local mode', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [`lambdas/${name}/handler.ts`, ...composedOf],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      external: ['@aws-sdk/*'],
      outdir: 'unused',
    });
    const bytes = outputFiles.reduce((sum, { contents }) => sum + contents.byteLength, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(MAX_BUNDLE_BYTES);
    expect(Object.keys(metafile.inputs).filter((path) => LOCAL_ONLY.test(path))).toEqual([]);
  });
});
