/** A run in a process of its own, whose memory and warmth are its own: its figures, as JSON. */
import { spawn } from 'node:child_process';

/** Throws when the run fails; `what` says which it was. */
export function runAlone<T>(script: string, args: readonly string[], what: string): Promise<T> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as T);
      else reject(new Error(`the run of ${what} ended with ${code}`));
    });
  });
}
