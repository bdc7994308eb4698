/** Lines of output as bytes, with the time before them where it was asked for. */
import { rfc3339 } from '../../shared/api/time.ts';
import type { LogLine } from './simulated-task.ts';

const encoder = new TextEncoder();

export function encoded({ atMs, text }: LogLine, timestamps: boolean): Uint8Array {
  return encoder.encode(`${timestamps ? `${rfc3339(atMs)} ` : ''}${text}\n`);
}
