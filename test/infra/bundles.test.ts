/** What a function's bundle holds: its own code, small enough to start cold, and nothing of local mode. */
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const FUNCTIONS = ['api', 'router', 'reconciler', 'scheduler', 'health'] as const;

/** Minified, apart from the SDK that Lambda's runtime brings. */
const MAX_BUNDLE_BYTES = 1_000_000;

const LOCAL_ONLY = /node_modules\/(dockerode|ws|@peculiar)\/|^adapters\/(docker|sqlite|memory)\//;

describe.each(FUNCTIONS)('the bundle of %s', (name) => {
  it('is small, and holds nothing of local mode', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [`lambdas/${name}/handler.ts`],
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
    expect(outputFiles[0]?.contents.byteLength).toBeLessThan(MAX_BUNDLE_BYTES);
    expect(Object.keys(metafile.inputs).filter((path) => LOCAL_ONLY.test(path))).toEqual([]);
  });
});
