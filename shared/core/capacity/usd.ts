/** Dollars for people. */

/** From this on, cents and hundredths of them are enough. */
const SMALL_USD = 0.01;

/** Such as `$0.0123`, `$1.2100`; what is less than a cent has two digits that count. */
export function usdText(usd: number): string {
  if (usd === 0 || usd >= SMALL_USD) return `$${usd.toFixed(4)}`;
  return `$${usd.toPrecision(2)}`;
}
