import { describe, expect, it } from 'vitest';
import * as errors from '../../../shared/api/errors.ts';

const deployments = { group: 'apps', plural: 'deployments', kind: 'Deployment' };
const pods = { group: '', plural: 'pods', kind: 'Pod' };
const negative = {
  reason: 'FieldValueInvalid' as const,
  message: 'Invalid value: -1: must be greater than or equal to 0',
  field: 'spec.replicas',
};

describe('errors read as in Kubernetes', () => {
  it.each<[errors.ApiError, number, string, string]>([
    [errors.notFound(deployments, 'web'), 404, 'NotFound', 'deployments.apps "web" not found'],
    [errors.alreadyExists(pods, 'x'), 409, 'AlreadyExists', 'pods "x" already exists'],
    [
      errors.conflict(deployments, 'web'),
      409,
      'Conflict',
      'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; ' +
        'please apply your changes to the latest version and try again',
    ],
    [
      errors.invalid(deployments, 'x', [negative]),
      422,
      'Invalid',
      'Deployment.apps "x" is invalid: spec.replicas: Invalid value: -1: ' +
        'must be greater than or equal to 0',
    ],
    [
      errors.invalid(pods, 'x', [negative, { ...negative, field: 'spec.b' }, negative]),
      422,
      'Invalid',
      `Pod "x" is invalid: [spec.replicas: ${negative.message}, spec.b: ${negative.message}]`,
    ],
    [errors.forbidden(pods, '', 'no'), 403, 'Forbidden', 'pods is forbidden: no'],
    [errors.unauthorized(), 401, 'Unauthorized', 'Unauthorized'],
    [errors.tooManyRequests('slow down', 1), 429, 'TooManyRequests', 'slow down'],
  ])('%s', (error, code, reason, message) => {
    expect(error.status).toMatchObject({
      kind: 'Status',
      status: 'Failure',
      code,
      reason,
      message,
    });
    expect(error.message).toBe(message);
  });

  it('with the object and the causes as details', () => {
    expect(errors.invalid(deployments, 'x', [negative]).status.details).toEqual({
      name: 'x',
      group: 'apps',
      kind: 'Deployment',
      causes: [negative],
    });
    expect(errors.notFound(pods, 'x').status.details).toEqual({ name: 'x', kind: 'pods' });
  });

  it('with conflicts listed by manager', () => {
    const cause = (manager: string, field: string) => ({
      reason: 'FieldManagerConflict' as const,
      message: `conflict with "${manager}" using apps/v1`,
      field,
    });
    const error = errors.applyConflict([cause('a', '.x'), cause('b', '.y'), cause('a', '.z')]);
    expect(error.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "a" using apps/v1:\n- .x\n- .z\n' +
        'conflicts with "b" using apps/v1:\n- .y',
    );
  });
});
