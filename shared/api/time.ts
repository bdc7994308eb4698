/**
 * Times as Kubernetes writes them (RFC 3339, whole seconds) and as decisions count them
 * (milliseconds).
 */

/** As `.000Z`. */
const MILLIS_AND_ZONE = 5;

export function rfc3339(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -MILLIS_AND_ZONE)}Z`;
}

/** Milliseconds since the epoch; undefined for what is not a time. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
