/** The reconciler as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { configOf } from '../_kit/config.ts';
import { reconcilerHandler } from './handler.ts';

export const handler = reconcilerHandler(planeOf(configOf(process.env)));
