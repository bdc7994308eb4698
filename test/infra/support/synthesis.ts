/**
 * The stack as CloudFormation gets it, under any options, with stand-ins for the functions' code.
 */
import { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundles } from '../../../infra/bundling.ts';
import { optionsOf } from '../../../infra/options.ts';
import { FUNCTION_NAMES } from '../../../infra/settings.ts';
import { NullplaneStack } from '../../../infra/stack.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Properties;
  readonly DeletionPolicy?: string;
  readonly DependsOn?: readonly string[];
}

/** Of CloudFormation: any shape. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Properties = { readonly [name: string]: any };

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: readonly unknown[];
  readonly Condition?: Properties;
}

export class Template {
  readonly resources: { readonly [logicalId: string]: Resource };

  constructor(resources: { readonly [logicalId: string]: Resource }) {
    this.resources = resources;
  }

  /** Properties of all resources of a type, by logical id. */
  all(type: string): readonly (readonly [id: string, properties: Properties])[] {
    return Object.entries(this.resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, { Properties }]) => [id, Properties ?? {}]);
  }

  /** The only one of a type whose properties fit. */
  one(type: string, fits: (properties: Properties) => boolean = () => true): Properties {
    const found = this.all(type).filter(([, properties]) => fits(properties));
    if (found.length !== 1) throw new Error(`${found.length} of ${type}`);
    return found[0]?.[1] ?? {};
  }

  /** What a role may do, by the role's name. */
  statements(roleName: string): readonly Statement[] {
    const { Policies = [] } = this.one('AWS::IAM::Role', (role) => role['RoleName'] === roleName);
    return (Policies as Properties[]).flatMap(policyStatements);
  }

  /** All statements that grant something to a role, wherever they stand. */
  allStatements(): readonly Statement[] {
    const inline = this.all('AWS::IAM::Role').flatMap(([, { Policies = [] }]) =>
      (Policies as Properties[]).flatMap(policyStatements),
    );
    const apart = this.all('AWS::IAM::Policy').flatMap(([, policy]) => policyStatements(policy));
    return [...inline, ...apart];
  }
}

/** Of a policy of a role, or of its own: both hold a document under the same name. */
export function policyStatements(policy: Properties): readonly Statement[] {
  const document = policy['PolicyDocument'] as Properties;
  const list = <T>(value: T | readonly T[]): readonly T[] =>
    Array.isArray(value) ? (value as readonly T[]) : [value as T];
  return (document['Statement'] as Properties[]).map((statement) => ({
    ...(statement as Statement),
    Action: list(statement['Action'] as string),
    Resource: list(statement['Resource'] as unknown),
  }));
}

export interface Finding {
  readonly rule: string;
  /** The construct's path in the stack. */
  readonly at: string;
}

export interface Synthesis {
  readonly template: Template;
  /** Of cdk-nag, were nothing argued away; empty unless asked for. */
  readonly findings: readonly Finding[];
}

/** Synthesizes in a folder that is gone afterwards. */
export function synthesize(
  context: { readonly [name: string]: unknown } = {},
  checked = false,
): Synthesis {
  const folder = mkdtempSync(join(tmpdir(), 'nullplane-synth-'));
  try {
    const app = new App({ outdir: join(folder, 'out') });
    const options = optionsOf(context);
    const { installation } = options;
    new NullplaneStack(app, installation, { options, bundles: standIns(folder) });
    app.synth();
    const findings = checked ? findingsIn(app) : [];
    const file = join(folder, 'out', `${installation}.template.json`);
    const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as Properties;
    return { template: new Template(Resources as Template['resources']), findings };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function standIns(folder: string): Bundles {
  const entries = FUNCTION_NAMES.map((name) => {
    const path = join(folder, name);
    mkdirSync(path);
    writeFileSync(join(path, 'index.mjs'), `export const handler = () => '${name}';`);
    return [name, path] as const;
  });
  return Object.fromEntries(entries) as Bundles;
}

function findingsIn(app: App): readonly Finding[] {
  const { violations } = new AwsSolutionsChecks(app).validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath = '' }) => ({
      rule: ruleName,
      at: constructPath.split('/').slice(1).join('/'),
    })),
  );
}
