/** The health as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { withInstances } from '../_kit/compose-instances.ts';
import { configOf } from '../_kit/config.ts';
import { healthHandler } from './handler.ts';

const config = configOf(process.env);

export const handler = healthHandler(withInstances(config, planeOf(config)));
