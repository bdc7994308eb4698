/** What API Gateway says by itself must read as what the API server says. */
import { describe, expect, it } from 'vitest';
import { GATEWAY_RESPONSES } from '../../../infra/gateway-responses.ts';
import type { Status } from '../../../shared/api/errors.ts';

describe.each(GATEWAY_RESPONSES)('$type', ({ statusCode, templates, responseHeaders }) => {
  const text = templates['application/json'] ?? '';
  const status = JSON.parse(text) as Status;

  it('is a Status of its own code', () => {
    expect(status).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure' });
    expect(String(status.code)).toBe(statusCode);
    expect(status.reason).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(status.message).toBeTruthy();
  });

  it('holds no expression of the gateway', () => {
    expect(text).not.toMatch(/[$#]/);
  });

  it('says when to come again exactly where clients do', () => {
    const isThrottling = statusCode === '429';
    expect(responseHeaders).toEqual(isThrottling ? { 'Retry-After': "'1'" } : undefined);
    expect(status.details?.retryAfterSeconds).toBe(isThrottling ? 1 : undefined);
  });
});

it('names each case once, and both defaults', () => {
  const types = GATEWAY_RESPONSES.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  expect(types).toContain('DEFAULT_4XX');
  expect(types).toContain('DEFAULT_5XX');
});
