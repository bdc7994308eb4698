/**
 * The functions' code: a folder each, with the SDK in it, so that what was tested is what runs, and
 * that an emulator without an SDK runs it too.
 *
 * Invariant: the same sources give the same bytes, so that a deployment without a change deploys
 * nothing.
 */
import { type BuildOptions, buildSync } from 'esbuild';
import { join } from 'node:path';
import { FUNCTION_NAMES, type FunctionName } from './settings.ts';

const ROOT = join(import.meta.dirname, '..');

/** Where Lambda's handler is looked for. */
export const HANDLER = 'index.handler';

/** Some packages of the SDK still ask for modules by `require`, which modules do not have. */
const REQUIRE =
  "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export type Bundles = { readonly [name in FunctionName]: string };

/** Builds all functions under a folder; answers with the folder of each. */
export function bundleFunctions(folder: string, sourceMaps: boolean): Bundles {
  const entries = FUNCTION_NAMES.map((name) => {
    buildSync(bundleOptions(name, folder, sourceMaps));
    return [name, join(folder, name)] as const;
  });
  return Object.fromEntries(entries) as Bundles;
}

/** What esbuild is asked for. What is loaded late is in a file of its own beside the handler's. */
export function bundleOptions(name: FunctionName, folder: string, sourceMaps: boolean) {
  return {
    entryPoints: [{ in: join(ROOT, 'lambdas', name, 'index.ts'), out: 'index' }],
    absWorkingDir: ROOT,
    outdir: join(folder, name),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    minify: true,
    sourcemap: sourceMaps,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    logLevel: 'error',
  } as const satisfies BuildOptions;
}
