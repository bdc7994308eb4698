/** The file that `cdk deploy --outputs-file` writes: outputs by stack. */
import { readFileSync } from 'node:fs';
import { UsageError } from './io.ts';

export type Outputs = { readonly [name: string]: string | undefined };

/** The outputs of the stack that is named, or of the only one. */
export function readOutputs(path: string, stack: string | undefined): Outputs {
  const stacks = parsed(path);
  const names = Object.keys(stacks);
  const name = stack ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw new UsageError(`${path} has ${names.length} stacks: choose one by --stack`);
  }
  const outputs = Object.hasOwn(stacks, name) ? stacks[name] : undefined;
  if (outputs) return outputs;
  throw new UsageError(`${path} has no stack "${name}", but ${names.join(', ') || 'none'}`);
}

/** An output that must be there. */
export function output(outputs: Outputs, name: string): string {
  const value = outputs[name];
  if (value) return value;
  throw new UsageError(`the stack has no output ${name}: is it one of Nullplane?`);
}

function parsed(path: string): { readonly [stack: string]: Outputs } {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path} can not be read: ${(error as Error).message}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as { readonly [stack: string]: Outputs };
    }
  } catch {
    // Said below.
  }
  throw new UsageError(`${path} is not what cdk deploy --outputs-file writes`);
}
