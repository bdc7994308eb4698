/** How often something was asked for or done, by service and operation. */
export type ServiceName = 'store' | 'stored' | 'queue' | 'invocation' | 'ecs';

export class Counts {
  readonly #counts = new Map<string, number>();

  add(service: ServiceName, what: string, count = 1): void {
    const key = `${service}: ${what}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  clear(): void {
    this.#counts.clear();
  }

  /** Sorted, each divided by `by`. */
  per(by: number): Readonly<Record<string, number>> {
    const entries = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, count]) => [key, count / by]));
  }
}
