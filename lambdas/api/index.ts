/** The API as Lambda loads it. */
import { planeOf } from '../_kit/compose.ts';
import { apiOf } from '../_kit/compose-api.ts';
import { configOf } from '../_kit/config.ts';
import { apiHandler } from './handler.ts';

const config = configOf(process.env);

export const handler = apiHandler(apiOf(config, planeOf(config)));
