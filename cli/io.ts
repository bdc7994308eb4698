/** What commands are given of the world, and how they say that something is wrong. */
import type { Credentials } from '../adapters/aws/auth/token.ts';

export interface Io {
  readonly env: { readonly [name: string]: string | undefined };
  readonly home: string;
  readonly nowMs: number;
  /** Of the Node.js and the program that run now: exec plugins call them again. */
  readonly nodePath: string;
  readonly mainPath: string;
  readonly credentials: (profile?: string) => Promise<Credentials>;
  /** What was asked for, for pipes. */
  readonly print: (text: string) => void;
  /** What a person is told besides. */
  readonly tell: (text: string) => void;
}

/** Told as it stands, without a stack: the one who typed can mend it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
