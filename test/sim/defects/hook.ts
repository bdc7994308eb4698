/**
 * Plants a defect as its module is loaded: `NULLPLANE_DEFECT=name node --import <this> …`. The
 * files stay as they are. Throws when the text to replace is not there exactly once: the product
 * has moved on, and the patch has to follow.
 */
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { DEFECT_VARIABLE, patched } from './patch.ts';
import { PATCHES } from './patches.ts';

const name = process.env[DEFECT_VARIABLE] ?? '';
const patch = PATCHES[name];
if (!patch) throw new Error(`no such defect: ${name}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const isIt = url.startsWith('file:') && fileURLToPath(url).endsWith(`/${patch.file}`);
    if (!isIt || loaded.source === undefined || loaded.source === null) return loaded;
    const text =
      typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
    return { ...loaded, source: patched(text, patch) };
  },
});
