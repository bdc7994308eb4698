import { expect, it } from 'vitest';
import { ENVIRONMENT } from '../../../bench/cold-start.ts';
import { configOf } from '../../../lambdas/_kit/config.ts';

it('loads functions in an environment that tells them all they need', () => {
  expect(configOf(ENVIRONMENT)).toMatchObject({ installation: 'bench' });
});
