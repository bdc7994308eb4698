/** Where the control plane says what it does. Never given secret values. */
export interface Recorder {
  log(record: LogRecord): void;
  /** Exactly one record a write, accepted or denied (S11). */
  audit(record: AuditRecord): void;
}

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** A constant sentence; what varies is in `fields`. */
  readonly message: string;
  readonly fields?: { readonly [name: string]: unknown };
}

export interface AuditRecord {
  readonly atMs: number;
  readonly user: string;
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly resourceVersion?: string;
}
