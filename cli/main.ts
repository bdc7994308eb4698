#!/usr/bin/env node
/** `nullplane`: the command line beside kubectl. Ambient state is reached for here alone. */
import { homedir } from 'node:os';
import { credentialsAtHand } from '../adapters/aws/auth/token.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  home: homedir(),
  nowMs: Date.now(),
  nodePath: process.execPath,
  mainPath: import.meta.filename,
  credentials: credentialsAtHand,
  print: (text) => void process.stdout.write(text),
  tell: (text) => void process.stderr.write(text),
});
