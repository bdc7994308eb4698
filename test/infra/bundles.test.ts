/**
 * What a function's bundle holds: its own code, small enough to start cold, with the SDK beside it,
 * and nothing of local mode. The deployed bytes are built by `infra/bundling.ts`; here the same
 * sources are looked at with the SDK set apart.
 */
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bundleFunctions } from '../../infra/bundling.ts';
import { FUNCTION_NAMES } from '../../infra/settings.ts';

/** Minified, apart from the SDK. */
const MAX_OWN_BYTES = 1_000_000;
/** With the SDK: what a cold start reads and parses. */
const MAX_BYTES = 2_500_000;

const SDK = ['@aws-sdk/*', '@smithy/*', '@aws-crypto/*'];
const LOCAL_ONLY = /node_modules\/(dockerode|ws|@peculiar)\/|^adapters\/(docker|sqlite|memory)\//;

const folder = mkdtempSync(join(tmpdir(), 'nullplane-bundles-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(FUNCTION_NAMES)('the bundle of %s', (name) => {
  it('is small, and holds nothing of local mode', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [`lambdas/${name}/index.ts`],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      external: SDK,
      outdir: 'unused',
    });
    const bytes = outputFiles.reduce((sum, { contents }) => sum + contents.byteLength, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(MAX_OWN_BYTES);
    expect(Object.keys(metafile.inputs).filter((path) => LOCAL_ONLY.test(path))).toEqual([]);
  });
});

describe('what is deployed', () => {
  const built = ['first', 'second'].map((name) => bundleFunctions(join(folder, name), false));

  it('is the same bytes for the same sources', () => {
    const [first, second] = built.map((bundles) =>
      FUNCTION_NAMES.map((name) => {
        const bytes = readFileSync(join(bundles[name], 'index.mjs'));
        return createHash('sha256').update(bytes).digest('hex');
      }),
    );
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(FUNCTION_NAMES.length);
  });

  it('needs nothing of the runtime but Node, and is small', () => {
    for (const name of FUNCTION_NAMES) {
      const text = readFileSync(join(built[0]?.[name] ?? '', 'index.mjs'), 'utf8');
      expect(text.length).toBeLessThan(MAX_BYTES);
      const imported = [...text.matchAll(/\bfrom ?"([^"]+)"/g)].map(([, from = '']) => from);
      expect(imported.filter((from) => /^[@a-z-]+\//.test(from) && !isBuiltIn(from))).toEqual([]);
    }
  });
});

function isBuiltIn(name: string): boolean {
  return name.startsWith('node:') || /^(fs|stream|dns|timers|util)\/promises$/.test(name);
}
