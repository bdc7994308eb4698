/** The health as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { configOf } from '../_kit/config.ts';
import { healthHandler } from './handler.ts';

export const handler = healthHandler(planeOf(configOf(process.env)));
