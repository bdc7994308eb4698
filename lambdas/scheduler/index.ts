/** The scheduler as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { withInstances } from '../_kit/compose-instances.ts';
import { configOf } from '../_kit/config.ts';
import { schedulerHandler } from './handler.ts';

const config = configOf(process.env);

export const handler = schedulerHandler(withInstances(config, planeOf(config)));
