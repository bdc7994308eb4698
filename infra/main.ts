/**
 * The CDK app: options from the context, one stack, and cdk-nag's checks over it, which stop a
 * synthesis that breaks one.
 */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { join } from 'node:path';
import { bundleFunctions } from './bundling.ts';
import { optionsOf } from './options.ts';
import { NullplaneStack } from './stack.ts';
import { suppress } from './suppressions.ts';

const BUNDLES = join(import.meta.dirname, '..', 'dist', 'functions');

const app = new App();
const options = optionsOf(app.node.getAllContext() as { [name: string]: unknown });
const stack = new NullplaneStack(app, options.installation, {
  options,
  bundles: bundleFunctions(BUNDLES, options.sourceMaps),
  description: 'Nullplane: the Kubernetes API with no control-plane process',
  terminationProtection: options.deletionProtection,
});
suppress(stack, options);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
