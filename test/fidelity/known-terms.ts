/**
 * What rows of known differences in ECS have in common: sources, emulators, and the scenarios that
 * two launches go through.
 */
import { ANY } from './differences.ts';

export const ECS = 'Amazon ECS API Reference';
export const GUIDE = 'Amazon ECS Developer Guide';
export const BOTH = ['ministack', 'moto'] as const;
export const MINISTACK = ['ministack'] as const;
export const MOTO = ['moto'] as const;
export const model = { model: 'AwsModel', ours: ANY, theirs: ANY } as const;

export const BY_PROVIDER = 'a task by a capacity provider';
export const BY_TYPE = 'a task by a launch type';
