/** The policies that can be measured, by name. */
import { bestFit, dotProduct, gpuClustering, gpuPacking, random } from './baselines.ts';
import { fgd } from './fgd.ts';
import { prices, pricesLearned } from './ours.ts';
import type { Policy } from './protocol.ts';
import { repacking } from './repack.ts';

export const POLICIES: { readonly [name: string]: Policy } = {
  Random: random,
  DotProd: dotProduct,
  Clustering: gpuClustering,
  Packing: gpuPacking,
  BestFit: bestFit,
  FGD: fgd,
  Prices: prices,
  PricesLearned: pricesLearned,
  PricesRepacked: repacking(prices),
};
