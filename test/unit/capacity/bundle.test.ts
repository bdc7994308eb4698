/** The catalogue as it would travel with a function. */
import { build } from 'esbuild';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type * as Types from '../../../shared/core/capacity/catalogue/types.ts';
import { allInstanceTypes } from '../../../shared/core/capacity/catalogue/types.ts';
import { bundleOptions } from '../../../infra/bundling.ts';

const FOLDER = join(import.meta.dirname, '../../../shared/core/capacity/catalogue');
const MODULES = ['types', 'prices', 'offerings', 'nodes', 'fargate-prices'];

/** Of all that a function which chooses machines takes with it. */
const MAX_BYTES = 150_000;

async function bundled(): Promise<string> {
  const { minify, platform, target, format } = bundleOptions('scheduler', '/', false);
  const { outputFiles } = await build({
    ...{ minify, platform, target, format, bundle: true, write: false },
    stdin: {
      contents: MODULES.map((name) => `export * from './${name}.ts';`).join('\n'),
      resolveDir: FOLDER,
    },
  });
  return outputFiles[0]?.text ?? '';
}

describe('the catalogue in a bundle', () => {
  it('is small, and is the catalogue', async () => {
    const text = await bundled();
    expect(text.length).toBeGreaterThan(50_000);
    expect(text.length).toBeLessThan(MAX_BYTES);
    const url = `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;
    const loaded = (await import(/* @vite-ignore */ url)) as typeof Types;
    expect(loaded.allInstanceTypes()).toEqual(allInstanceTypes());
  });
});
