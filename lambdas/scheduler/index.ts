/** The scheduler as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { configOf } from '../_kit/config.ts';
import { schedulerHandler } from './handler.ts';

export const handler = schedulerHandler(planeOf(configOf(process.env)));
