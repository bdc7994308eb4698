/** The reconciler as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { withInstances } from '../_kit/compose-instances.ts';
import { withVault } from '../_kit/compose-vault.ts';
import { configOf } from '../_kit/config.ts';
import { reconcilerHandler } from './handler.ts';

const config = configOf(process.env);

export const handler = reconcilerHandler(withVault(config, withInstances(config, planeOf(config))));
