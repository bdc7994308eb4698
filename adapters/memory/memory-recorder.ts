/** Keeps what was recorded, for tests to look at. */
import type { AuditRecord, LogRecord, Measure, Recorder } from '../../shared/ports/recorder.ts';

export class MemoryRecorder implements Recorder {
  readonly logs: LogRecord[] = [];
  readonly audits: AuditRecord[] = [];
  readonly measures: Measure[] = [];

  log(record: LogRecord): void {
    this.logs.push(record);
  }

  audit(record: AuditRecord): void {
    this.audits.push(record);
  }

  measure(measure: Measure): void {
    this.measures.push(measure);
  }
}
