/** IAM statements as data: every action is named, every resource is given. */
import { PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';

export interface Allowed {
  /** What it is for; letters and digits. */
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: { readonly [operator: string]: { readonly [key: string]: unknown } };
}

/** Throws a RangeError on a wildcard action: nobody here needs what AWS adds tomorrow. */
export function allow({ sid, actions, resources, conditions }: Allowed): PolicyStatement {
  const wild = actions.filter((action) => action.includes('*'));
  if (wild.length > 0) throw new RangeError(`wildcard actions: ${wild.join(', ')}`);
  return new PolicyStatement({
    sid,
    actions: [...actions],
    resources: [...resources],
    ...(conditions ? { conditions: { ...conditions } } : {}),
  });
}

export function documentOf(statements: readonly PolicyStatement[]): PolicyDocument {
  return new PolicyDocument({ statements: [...statements] });
}
