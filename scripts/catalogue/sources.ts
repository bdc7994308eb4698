/** What others wrote, as facts: products of the price list, and a table of prices in Go. Pure. */
import type { Prices } from './snapshots.ts';

interface Product {
  readonly product?: { readonly attributes?: { readonly instanceType?: string } };
  readonly terms?: { readonly OnDemand?: { readonly [offer: string]: Term } };
}

interface Term {
  readonly priceDimensions?: { readonly [dimension: string]: Dimension };
}

interface Dimension {
  readonly unit?: string;
  readonly pricePerUnit?: { readonly USD?: string };
}

/** Of products as the AWS Price List Query API answers with, each a JSON text. */
export function pricesOfProducts(products: readonly string[]): Prices {
  const prices = products.flatMap((text) => {
    const { product, terms } = JSON.parse(text) as Product;
    const type = product?.attributes?.instanceType;
    const usd = Object.values(terms?.OnDemand ?? {})
      .map(hourly)
      .find((one) => one !== undefined);
    return type === undefined || usd === undefined ? [] : [[type, usd] as const];
  });
  return new Map(prices);
}

function hourly({ priceDimensions = {} }: Term): number | undefined {
  const dimension = Object.values(priceDimensions).find(({ unit }) => unit === 'Hrs');
  const usd = Number(dimension?.pricePerUnit?.USD);
  return usd > 0 ? usd : undefined;
}

export interface PriceTable {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly byRegion: ReadonlyMap<string, Prices>;
}

/**
 * Of a table as Karpenter's provider for AWS ships it, pkg/providers/pricing/zz_generated.*.go:
 * regions, in each `"m5.large": 0.096000,`. Throws an Error when there is no date or no price.
 */
export function pricesOfTable(text: string): PriceTable {
  const date = /generated at (\d{4}-\d{2}-\d{2})T/.exec(text)?.[1];
  const byRegion = new Map<string, Map<string, number>>();
  let region: Map<string, number> | undefined;
  for (const [, name, price] of text.matchAll(/"([a-z0-9.-]+)": (\{|[0-9.]+,)/g)) {
    if (name === undefined) continue;
    if (price === '{') {
      region = new Map<string, number>();
      byRegion.set(name, region);
    } else region?.set(name, Number.parseFloat(price ?? ''));
  }
  const count = [...byRegion.values()].reduce((sum, { size }) => sum + size, 0);
  if (date === undefined || count === 0) throw new Error('this is no table of prices');
  return { date, byRegion };
}
