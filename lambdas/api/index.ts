/** The API as Lambda loads it. */
import { apiOf, planeOf } from '../_kit/compose.ts';
import { configOf } from '../_kit/config.ts';
import { apiHandler } from './handler.ts';

const config = configOf(process.env);

export const handler = apiHandler(apiOf(config, planeOf(config)));
