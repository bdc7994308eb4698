/** The router as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { configOf } from '../_kit/config.ts';
import { routerHandler } from './handler.ts';

export const handler = routerHandler(planeOf(configOf(process.env)));
