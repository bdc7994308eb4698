/** The options: one table, which cdk.json and the README repeat; what it lacks is refused. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultContext, OPTIONS, optionsOf } from '../../infra/options.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('options', () => {
  it('stand in cdk.json with their defaults', () => {
    const { context } = JSON.parse(read('cdk.json')) as { context: { [name: string]: unknown } };
    const ours = Object.entries(context).filter(([name]) => !name.includes('@'));
    expect(Object.fromEntries(ours)).toEqual(defaultContext());
  });

  it('stand in the README, each with its default and its sentence', () => {
    const rows = Object.entries(OPTIONS).map(([name, { fallback, says }]) => {
      return `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${says} |`;
    });
    const readme = read('README.md').replace(/ +/g, ' ');
    expect(rows.filter((row) => !readme.includes(row.replace(/ +/g, ' ')))).toEqual([]);
  });

  it('come as texts from the command line', () => {
    const options = optionsOf({
      reconcilers: '20',
      sweep: 'false',
      admins: 'arn:aws:iam::123456789012:role/Ops',
    });
    expect(options).toMatchObject({ reconcilers: 20, sweep: false, api: 'rest' });
    expect(options.admins).toEqual(['arn:aws:iam::123456789012:role/Ops']);
  });

  it.each([
    [{ instalation: 'x' }, 'unknown option instalation'],
    [{ installation: 'Has Spaces' }, 'option installation: expected lower-case'],
    [{ reconcilers: '1' }, 'option reconcilers: expected a whole number from 2 to 1000'],
    [{ sweep: 'no' }, "option sweep: expected true or false, got 'no'"],
    [{ api: 'grpc' }, 'option api: expected one of rest, buffered-rest, http'],
    [{ admins: 'me' }, 'option admins: expected ARNs'],
    [{ vpcId: 'vpc-1a' }, 'vpcId and subnetIds go together'],
    [{ tableStreamArn: 'table' }, 'option tableStreamArn'],
  ])('refuse %j', (context, message) => {
    expect(() => optionsOf(context)).toThrow(message);
  });

  it('leave CDK’s own context alone', () => {
    expect(() => optionsOf({ '@aws-cdk/core:x': true, 'aws:cdk:y': 1, 'cdk-z': '' })).not.toThrow();
  });
});
