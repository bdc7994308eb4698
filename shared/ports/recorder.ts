/** Where the control plane says what it does. Never given secret values. */
export interface Recorder {
  log(record: LogRecord): void;
  /** Exactly one record a write, accepted or denied (S11). */
  audit(record: AuditRecord): void;
  /** A figure for dashboards and alarms. */
  measure(measure: Measure): void;
}

export interface Measure {
  /** In CloudWatch's style, such as `TasksLaunched`. */
  readonly name: string;
  readonly value: number;
  readonly unit: 'Count' | 'Milliseconds';
  /** Few values each: every combination is a metric that costs money. */
  readonly dimensions?: { readonly [name: string]: string };
}

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A constant sentence; what varies is in `fields`. */
  readonly message: string;
  readonly fields?: { readonly [name: string]: unknown };
}

export interface AuditRecord {
  readonly atMs: number;
  /** The request's, which the answer carries as `Audit-Id`. */
  readonly auditId: string;
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly resourceVersion?: string;
}
