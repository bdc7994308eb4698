/** Time, as an argument. Milliseconds since the epoch. */
export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts. Never rejects. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}
